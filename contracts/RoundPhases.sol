// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bits} from './Bits.sol';
import {ReadySignature} from './ReadySignature.sol';
import {RunBook} from './RunBook.sol';

/// One round: JOIN, SHARE, then attempts of COMMIT and READY, then REVEAL. A phase closes by itself when everybody has acted,
/// and by `advance` after its deadline; a call that comes after the deadline still counts as long as nobody advanced.
abstract contract RoundPhases is RunBook {
    using Bits for uint64;
    using Bits for uint64[64];

    /// Members with equal votes for (state, model, next plan), by the hash of run, round and vote.
    mapping(bytes32 => uint64) private votesFor;
    /// Members READY with equal (context, sum), by the hash of run, round, attempt and both.
    mapping(bytes32 => uint64) private readyFor;

    function join(uint256 id, uint32 number, bytes32 bundle) external {
        (Run storage run, Round storage round, uint8 member) = _inPhase(id, number, Phase.Join);
        round.joined = _with(round.joined, round.roster, member);
        emit Joined(id, number, member, bundle);
        if (round.joined == round.roster && round.joined.count() >= run.terms.minMembers) _closeJoin(id, run, round);
    }

    function vouch(uint256 id, uint32 number, uint64 holds) external {
        (Run storage run, Round storage round, uint8 member) = _inPhase(id, number, Phase.Share);
        round.vouched = _with(round.vouched, round.joined, member);
        require(holds.within(round.joined), NotASubset());
        uint64 withOwn = holds | Bits.one(member);
        round.holds[member] = withOwn;
        emit Vouched(id, number, member, withOwn);
        if (round.vouched == round.joined) _closeShare(id, run, round);
    }

    function commit(uint256 id, uint32 number, uint8 attempt, bytes32 root) external {
        (Run storage run, Round storage round, uint8 member) = _inAttempt(id, number, attempt, Phase.Commit);
        round.committed = _with(round.committed, round.set, member);
        emit Committed(id, number, attempt, member, root);
        if (round.committed != round.set) return;
        round.phase = Phase.Ready;
        round.deadline = _after(run.terms.readyS);
        emit CommitClosed(id, number, attempt, round.deadline);
    }

    function have(uint256 id, uint32 number, uint8 attempt, uint64 holds) external {
        (, Round storage round, uint8 member) = _inAttempt(id, number, attempt, Phase.Ready);
        require(!round.ready.has(member), AlreadyDone());
        round.have = _with(round.have, round.set, member);
        require(holds.within(round.set), NotASubset());
        uint64 withOwn = holds | Bits.one(member);
        round.holds[member] = withOwn;
        emit Have(id, number, attempt, member, withOwn);
    }

    function ready(uint256 id, uint32 number, uint8 attempt, bytes32 context, bytes32 sum, bytes calldata signature) external {
        (Run storage run, Round storage round, uint8 member) = _inAttempt(id, number, attempt, Phase.Ready);
        round.ready = _with(round.ready, round.set, member);
        address signer = ReadySignature.signer(address(this), context, round.setHash, sum, signature);
        require(signer == msg.sender, BadSignature());
        emit Ready(id, number, attempt, member, context, sum, signature);
        _countReady(round, keccak256(abi.encode(id, number, attempt, context, sum)), member);
        if (round.ready != round.set) return;
        if (round.agreed == round.set) _closeReady(id, run, round, sum);
        else _dropMinority(id, run, round);
    }

    function vote(uint256 id, uint32 number, bytes32 state, bytes32 model, bytes32 nextPlan) external {
        if (id >= 1 && id <= runCount && _isLate(runs[id], number)) return _lateVote(id, number, state, model, nextPlan);
        (Run storage run, Round storage round, uint8 member) = _inPhase(id, number, Phase.Reveal);
        round.voted = _with(round.voted, round.set, member);
        emit Voted(id, number, member, state, model, nextPlan);
        bytes32 ballot = keccak256(abi.encode(id, number, state, model, nextPlan));
        uint64 equal = votesFor[ballot] | Bits.one(member);
        votesFor[ballot] = equal;
        if (equal.count() >= Bits.quorum(round.set.count())) _closeFinal(id, run, state, model, nextPlan);
    }

    /// Closes a phase whose deadline has passed, with those that acted in time.
    function advance(uint256 id, uint32 number) external {
        (Run storage run, ) = _acting(id);
        require(number == run.round, WrongRound(run.round));
        Round storage round = open[id];
        require(block.timestamp >= round.deadline, NotYetExpired(round.deadline));
        if (round.phase == Phase.Join) _expireJoin(id, run, round);
        else if (round.phase == Phase.Share) _closeShare(id, run, round);
        else if (round.phase == Phase.Commit) _retry(id, run, round, round.committed, VoidReason.TooFewLeft);
        else if (round.phase == Phase.Ready) _expireReady(id, run, round);
        else _closeVoid(id, run, VoidReason.NoAgreement);
    }

    function _inPhase(uint256 id, uint32 number, Phase phase) private view returns (Run storage run, Round storage round, uint8 member) {
        (run, member) = _acting(id);
        require(number == run.round, WrongRound(run.round));
        round = open[id];
        require(round.phase == phase, WrongPhase(round.phase));
    }

    function _inAttempt(uint256 id, uint32 number, uint8 attempt, Phase phase) private view returns (Run storage run, Round storage round, uint8 member) {
        (run, member) = _acting(id);
        require(number == run.round, WrongRound(run.round));
        round = open[id];
        require(attempt == round.attempt, WrongAttempt(round.attempt));
        require(round.phase == phase, WrongPhase(round.phase));
    }

    /// `done` with the member added; refuses a member outside `allowed` and a second time.
    function _with(uint64 done, uint64 allowed, uint8 member) private pure returns (uint64) {
        require(allowed.has(member), NotInRound());
        require(!done.has(member), AlreadyDone());
        return done | Bits.one(member);
    }

    function _closeJoin(uint256 id, Run storage run, Round storage round) private {
        round.phase = Phase.Share;
        round.deadline = _after(run.terms.shareS);
        emit JoinClosed(id, run.round, round.joined, round.deadline);
    }

    function _expireJoin(uint256 id, Run storage run, Round storage round) private {
        if (round.joined.count() >= run.terms.minMembers) _closeJoin(id, run, round);
        else _closeVoid(id, run, VoidReason.TooFewJoined);
    }

    /// The first attempt: members whose shares are held by two thirds of the roster, so that their self mask can be removed for certain.
    function _closeShare(uint256 id, Run storage run, Round storage round) private {
        uint256 threshold = Bits.quorum(round.roster.count());
        uint64 set = 0;
        for (uint256 i = 0; i < 64; i++) {
            if (round.joined.has(i) && round.holds.heldBy(round.vouched, i) >= threshold) set |= Bits.one(i);
        }
        if (set.count() < run.terms.minMembers) _closeVoid(id, run, VoidReason.TooFewVouched);
        else _openAttempt(id, run, round, set, 0);
    }

    function _openAttempt(uint256 id, Run storage run, Round storage round, uint64 set, uint8 attempt) private {
        round.phase = Phase.Commit;
        round.attempt = attempt;
        round.set = set;
        round.setHash = _hashOf(id, set);
        round.committed = 0;
        round.ready = 0;
        round.have = 0;
        round.agreed = 0;
        round.tie = false;
        round.deadline = _after(run.terms.commitS);
        emit AttemptOpened(id, run.round, attempt, set, round.deadline);
    }

    /// Another attempt over `rest`, or a VOID round: `tooFew` where too few are left, else where the attempts are used up.
    function _retry(uint256 id, Run storage run, Round storage round, uint64 rest, VoidReason tooFew) private {
        if (rest.count() < run.terms.minMembers) return _closeVoid(id, run, tooFew);
        if (round.attempt + 1 >= run.terms.maxAttempts) return _closeVoid(id, run, VoidReason.AttemptsUsedUp);
        _openAttempt(id, run, round, rest, round.attempt + 1);
    }

    function _countReady(Round storage round, bytes32 statement, uint8 member) private {
        uint64 group = readyFor[statement] | Bits.one(member);
        readyFor[statement] = group;
        uint256 size = group.count();
        uint256 largest = round.agreed.count();
        if (size > largest) {
            round.agreed = group;
            round.tie = false;
        } else if (size == largest) {
            round.tie = true;
        }
    }

    function _closeReady(uint256 id, Run storage run, Round storage round, bytes32 sum) private {
        round.phase = Phase.Reveal;
        round.deadline = _after(run.terms.revealS);
        emit ReadyClosed(id, run.round, round.attempt, sum, round.deadline);
    }

    /// All are READY but not on one sum: on with the largest group, if there is one.
    function _dropMinority(uint256 id, Run storage run, Round storage round) private {
        if (round.tie) _closeVoid(id, run, VoidReason.SumsDiffer);
        else _retry(id, run, round, round.agreed, VoidReason.SumsDiffer);
    }

    /// Without: the silent; those whose vector fewer than half of the others hold; if there is neither, those not READY.
    function _expireReady(uint256 id, Run storage run, Round storage round) private {
        uint64 heard = round.ready | round.have;
        uint256 half = heard.count();
        uint256 readyCount = round.ready.count();
        uint64 waiting = round.have & ~round.ready;
        uint64 rest = 0;
        for (uint256 i = 0; i < 64; i++) {
            if (!heard.has(i)) continue;
            if (2 * (readyCount + round.holds.heldBy(waiting, i)) >= half) rest |= Bits.one(i);
        }
        _retry(id, run, round, rest == round.set ? round.ready : rest, VoidReason.TooFewLeft);
    }

    function _isLate(Run storage run, uint32 number) private view returns (bool) {
        return run.finals > 0 && number == run.lastFinal && (number != run.round || !run.live);
    }

    /// A vote for a round that is FINAL already changes nothing, but shows that the member came to a result.
    function _lateVote(uint256 id, uint32 number, bytes32 state, bytes32 model, bytes32 nextPlan) private {
        Run storage run = runs[id];
        uint8 member = _memberOf(id, run);
        run.lastVoted = _with(run.lastVoted, run.present, member);
        emit Voted(id, number, member, state, model, nextPlan);
    }

    function _hashOf(uint256 id, uint64 set) private view returns (bytes32) {
        address[] storage roster = rosters[id];
        bytes memory accounts = new bytes(20 * set.count());
        uint256 offset = 0;
        for (uint256 i = 0; i < roster.length; i++) {
            if (!set.has(i)) continue;
            bytes20 account = bytes20(roster[i]);
            for (uint256 digit = 0; digit < 20; digit++) accounts[offset + digit] = account[digit];
            offset += 20;
        }
        return sha256(accounts);
    }
}
