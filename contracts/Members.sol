// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Who belongs to the consortium: founders from the start, everybody else by the vote of the members.
/// A revoked account can act nowhere. Names and peer keys are on the chain for people and peers, no rule depends on a name.
contract Members {
    enum Action {
        Admit,
        Revoke
    }

    struct Founder {
        address account;
        /// The 32 raw bytes of the member's Ed25519 public key on the peer network.
        bytes32 peerKey;
        bytes name;
    }

    struct Proposal {
        address account;
        Action action;
        bool executed;
        /// Membership epoch in which the proposal was made; it is void in any other.
        uint32 epoch;
        uint16 votesNeeded;
        uint16 votesFor;
        bytes32 peerKey;
        bytes name;
    }

    uint256 public constant MAX_MEMBERS = 1024;
    uint256 public constant MAX_NAME_BYTES = 64;

    /// Share of the active members that a proposal needs, in percent: floor(active * percent / 100) + 1 votes.
    uint8 public immutable votePercent;
    uint16 public activeCount;
    /// Grows with every admission and revocation.
    uint32 public epoch;
    uint256 public proposalCount;

    /// How often an account was admitted, where it is active now; 0 otherwise. An approval holds only within one term.
    mapping(address => uint32) public activeTerm;
    mapping(address => uint32) private terms;
    /// Which account a peer key belongs to, for ever: one key never speaks for two members.
    mapping(bytes32 => address) public keyOwner;
    mapping(uint256 => Proposal) public proposals;
    mapping(uint256 => mapping(address => bool)) public hasVoted;

    event Proposed(uint256 indexed proposal, address indexed by, Action action, address account, bytes32 peerKey, bytes name, uint256 votesNeeded);
    event ProposalVoted(uint256 indexed proposal, address indexed by, bool support);
    event Admitted(address indexed account, bytes32 peerKey, bytes name);
    event Revoked(address indexed account);
    event Recorded(address indexed by, bytes32 indexed label, bytes32 indexed subject, bytes32 hash);

    error NotActive(address account);
    error BadAccount();
    error BadName();
    error BadPeerKey();
    error BadPercent();
    error PeerKeyTaken(address owner);
    error AlreadyMember(address account);
    error NotAMember(address account);
    error TooManyMembers();
    error LastMember();
    error NoSuchProposal();
    error ProposalVoid();
    error ProposalDone();
    error AlreadyVoted();

    modifier onlyActive() {
        require(activeTerm[msg.sender] != 0, NotActive(msg.sender));
        _;
    }

    constructor(Founder[] memory founders, uint8 percent) {
        require(percent >= 1 && percent <= 100, BadPercent());
        require(founders.length >= 1, BadAccount());
        votePercent = percent;
        for (uint256 i = 0; i < founders.length; i++) {
            _checkAdmission(founders[i].account, founders[i].peerKey, founders[i].name);
            _admit(founders[i].account, founders[i].peerKey, founders[i].name);
        }
    }

    function isActive(address account) external view returns (bool) {
        return activeTerm[account] != 0;
    }

    /// Votes that a proposal made now would need, the proposer's own included.
    function votesNeededNow() public view returns (uint16) {
        uint256 needed = (uint256(activeCount) * votePercent) / 100 + 1;
        return uint16(needed > activeCount ? activeCount : needed);
    }

    function proposeAdmit(address account, bytes32 peerKey, bytes calldata name) external onlyActive {
        _checkAdmission(account, peerKey, name);
        _propose(Action.Admit, account, peerKey, name);
    }

    function proposeRevoke(address account) external onlyActive {
        require(activeTerm[account] != 0, NotAMember(account));
        require(activeCount > 1, LastMember());
        _propose(Action.Revoke, account, bytes32(0), '');
    }

    function vote(uint256 id, bool support) external onlyActive {
        require(id >= 1 && id <= proposalCount, NoSuchProposal());
        Proposal storage proposal = proposals[id];
        require(!proposal.executed, ProposalDone());
        require(proposal.epoch == epoch, ProposalVoid());
        require(!hasVoted[id][msg.sender], AlreadyVoted());
        hasVoted[id][msg.sender] = true;
        emit ProposalVoted(id, msg.sender, support);
        if (!support) return;
        proposal.votesFor += 1;
        _executeIfPassed(proposal);
    }

    /// A member's statement about a data set, a budget or a lineage; the contract only says who said it and when.
    function record(bytes32 label, bytes32 subject, bytes32 hash) external onlyActive {
        emit Recorded(msg.sender, label, subject, hash);
    }

    function _propose(Action action, address account, bytes32 peerKey, bytes memory name) private {
        uint256 id = ++proposalCount;
        Proposal storage proposal = proposals[id];
        proposal.account = account;
        proposal.action = action;
        proposal.epoch = epoch;
        proposal.votesNeeded = votesNeededNow();
        proposal.votesFor = 1;
        proposal.peerKey = peerKey;
        proposal.name = name;
        hasVoted[id][msg.sender] = true;
        emit Proposed(id, msg.sender, action, account, peerKey, name, proposal.votesNeeded);
        emit ProposalVoted(id, msg.sender, true);
        _executeIfPassed(proposal);
    }

    function _executeIfPassed(Proposal storage proposal) private {
        if (proposal.votesFor < proposal.votesNeeded) return;
        proposal.executed = true;
        if (proposal.action == Action.Revoke) _revoke(proposal.account);
        else _admit(proposal.account, proposal.peerKey, proposal.name);
    }

    /// The epoch rule makes a second check at execution needless: nothing about membership changed since.
    function _checkAdmission(address account, bytes32 peerKey, bytes memory name) private view {
        require(account != address(0), BadAccount());
        require(peerKey != bytes32(0), BadPeerKey());
        require(name.length >= 1 && name.length <= MAX_NAME_BYTES, BadName());
        require(activeTerm[account] == 0, AlreadyMember(account));
        address owner = keyOwner[peerKey];
        require(owner == address(0) || owner == account, PeerKeyTaken(owner));
        require(activeCount < MAX_MEMBERS, TooManyMembers());
    }

    function _admit(address account, bytes32 peerKey, bytes memory name) private {
        terms[account] += 1;
        activeTerm[account] = terms[account];
        keyOwner[peerKey] = account;
        activeCount += 1;
        epoch += 1;
        emit Admitted(account, peerKey, name);
    }

    function _revoke(address account) private {
        activeTerm[account] = 0;
        activeCount -= 1;
        epoch += 1;
        emit Revoked(account);
    }
}
