// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Members} from './Members.sol';

/// Which studies exist and which members approved them. A study is named by its hash; its text travels between peers.
contract Studies {
    struct Study {
        address publisher;
        uint64 sizeBytes;
        bytes32 root;
    }

    /// Members that can approve one study: as many as a run's roster can hold.
    uint256 public constant MAX_APPROVERS = 128;

    Members public immutable members;
    mapping(bytes32 => Study) public published;
    /// The member's term in which it approved the study; 0 where it did not.
    mapping(bytes32 => mapping(address => uint32)) private approvalTerm;
    mapping(bytes32 => address[]) private approvers;

    event StudyPublished(bytes32 indexed study, address indexed by, bytes32 root, uint64 sizeBytes);
    event StudyDecided(bytes32 indexed study, address indexed by, bool approved, bytes32 dataVersion);

    error NotActive(address account);
    error AlreadyPublished(address publisher);
    error NotPublished();
    error BadStudy();
    error TooManyApprovers();

    modifier onlyActive() {
        require(members.isActive(msg.sender), NotActive(msg.sender));
        _;
    }

    constructor(Members consortium) {
        members = consortium;
    }

    /// Makes a study known by its hash, with the Merkle root and size of its packed form.
    function publish(bytes32 study, bytes32 root, uint64 sizeBytes) external onlyActive {
        require(study != bytes32(0) && root != bytes32(0) && sizeBytes > 0, BadStudy());
        address publisher = published[study].publisher;
        require(publisher == address(0), AlreadyPublished(publisher));
        published[study] = Study(msg.sender, sizeBytes, root);
        emit StudyPublished(study, msg.sender, root, sizeBytes);
    }

    /// A member's decision for itself; the newest one counts. It ends with the member's term.
    function decide(bytes32 study, bool approved, bytes32 dataVersion) external onlyActive {
        require(published[study].publisher != address(0), NotPublished());
        if (approved) _approve(study);
        else approvalTerm[study][msg.sender] = 0;
        emit StudyDecided(study, msg.sender, approved, dataVersion);
    }

    function isApprovedBy(bytes32 study, address account) public view returns (bool) {
        uint32 term = approvalTerm[study][account];
        return term != 0 && term == members.activeTerm(account);
    }

    /// True where `roster` holds exactly the active members that approved the study, each once, in ascending order.
    function areTheApprovers(bytes32 study, address[] calldata roster) external view returns (bool) {
        for (uint256 i = 0; i < roster.length; i++) {
            if (i > 0 && roster[i] <= roster[i - 1]) return false;
            if (!isApprovedBy(study, roster[i])) return false;
        }
        return roster.length == _approverCount(study);
    }

    function _approverCount(bytes32 study) private view returns (uint256 count) {
        address[] storage listed = approvers[study];
        for (uint256 i = 0; i < listed.length; i++) if (isApprovedBy(study, listed[i])) count++;
    }

    /// Lists the sender once; the place of a member whose approval has ended is taken over, so the list stays short.
    function _approve(bytes32 study) private {
        address[] storage listed = approvers[study];
        uint256 place = listed.length;
        for (uint256 i = 0; i < listed.length; i++) {
            if (listed[i] == msg.sender) {
                place = i;
                break;
            }
            if (place == listed.length && !isApprovedBy(study, listed[i])) place = i;
        }
        require(place < MAX_APPROVERS, TooManyApprovers());
        if (place == listed.length) listed.push(msg.sender);
        else listed[place] = msg.sender;
        approvalTerm[study][msg.sender] = members.activeTerm(msg.sender);
    }
}
