// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bits} from './Bits.sol';
import {ReadySignature} from './ReadySignature.sol';
import {RunBook} from './RunBook.sol';

/// One round: JOIN, SHARE, then attempts of COMMIT and READY, then REVEAL. A phase closes by itself when everybody who is still in has acted,
/// and by `advance` after its deadline, or before it where all who are missing have left or were revoked. A call that comes after the deadline
/// still counts as long as nobody advanced.
abstract contract RoundPhases is RunBook {
    using Bits for uint128;
    using Bits for uint128[128];

    /// Members with equal votes for (state, model, next plan), by the hash of run, round and vote.
    mapping(bytes32 => uint128) private votesFor;
    /// Members READY with equal (context, sum), by the hash of run, round, attempt and both.
    mapping(bytes32 => uint128) private readyFor;

    function join(uint256 id, uint32 number, bytes32 bundle) external {
        (Run storage run, Round storage round, uint8 member) = _inPhase(id, number, Phase.Join);
        round.joined = _with(round.joined, round.roster, member);
        emit Joined(id, number, member, bundle);
        _settle(id, run, round);
    }

    /// May be said again with more, as long as the phase lasts.
    function vouch(uint256 id, uint32 number, uint128 holds) external {
        (Run storage run, Round storage round, uint8 member) = _inPhase(id, number, Phase.Share);
        require(round.joined.has(member), NotInRound());
        require(holds.within(round.joined), NotASubset());
        uint128 withOwn = holds | Bits.one(member);
        if (round.vouched.has(member)) {
            uint128 before = round.holds[member];
            require(withOwn != before && before.within(withOwn), AlreadyDone());
        }
        round.vouched |= Bits.one(member);
        round.holds[member] = withOwn;
        emit Vouched(id, number, member, withOwn);
        _settle(id, run, round);
    }

    function commit(uint256 id, uint32 number, uint8 attempt, bytes32 root) external {
        (Run storage run, Round storage round, uint8 member) = _inAttempt(id, number, attempt, Phase.Commit);
        round.committed = _with(round.committed, round.set, member);
        emit Committed(id, number, attempt, member, root);
        _settle(id, run, round);
    }

    function have(uint256 id, uint32 number, uint8 attempt, uint128 holds) external {
        (, Round storage round, uint8 member) = _inAttempt(id, number, attempt, Phase.Ready);
        require(!round.ready.has(member), AlreadyDone());
        round.have = _with(round.have, round.set, member);
        require(holds.within(round.set), NotASubset());
        uint128 withOwn = holds | Bits.one(member);
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
        if (round.agreed == round.set) _openReveal(id, run, round, sum);
        else _settle(id, run, round);
    }

    /// `accept` is false where the sender's own rows speak against the result that it computed.
    function vote(uint256 id, uint32 number, bool accept, bytes32 state, bytes32 model, bytes32 nextPlan) external {
        if (id >= 1 && id <= runCount && _isLate(runs[id], number)) return _lateVote(id, number, accept, state, model, nextPlan);
        (Run storage run, Round storage round, uint8 member) = _inPhase(id, number, Phase.Reveal);
        round.voted = _with(round.voted, round.set, member);
        emit Voted(id, number, member, accept, state, model, nextPlan);
        uint256 size = round.set.count();
        if (accept) {
            bytes32 ballot = keccak256(abi.encode(id, number, state, model, nextPlan));
            uint128 equal = votesFor[ballot] | Bits.one(member);
            votesFor[ballot] = equal;
            if (equal.count() >= Bits.quorum(size)) {
                _learn(run, round);
                return _closeFinal(id, run, state, model, nextPlan);
            }
        } else {
            round.rejected |= Bits.one(member);
            if (round.rejected.count() > size - Bits.quorum(size)) return _closeVoid(id, run, VoidReason.Rejected);
        }
        _settle(id, run, round);
    }

    /// Closes a phase without those who are missing: after its deadline, or at once where all of them have left or were revoked.
    function advance(uint256 id, uint32 number) external {
        (Run storage run, ) = _acting(id);
        require(number == run.round, WrongRound(run.round));
        Round storage round = open[id];
        if (block.timestamp >= round.deadline) {
            _ease(run, round);
        } else {
            uint128 missing = _missing(round);
            require(missing != 0 && _stillActive(id, missing & ~run.left) == 0, NotYetExpired(round.deadline));
        }
        if (round.phase == Phase.Join) _expireJoin(id, run, round);
        else if (round.phase == Phase.Share) _closeShare(id, run, round, _vouchedFor(run, round) & round.vouched);
        else if (round.phase == Phase.Commit) _retry(id, run, round, round.committed, VoidReason.TooFewLeft);
        else if (round.phase == Phase.Ready) _expireReady(id, run, round);
        else _closeVoid(id, run, VoidReason.NoAgreement);
    }

    /// Closes the open phase once everybody who is still in has acted. JOIN waits for its deadline where too few are there, so that others can
    /// come back; SHARE where somebody is not vouched for yet.
    function _settle(uint256 id, Run storage run, Round storage round) internal {
        if (_missing(round) & ~run.left != 0) return;
        if (round.phase == Phase.Join) {
            if ((round.joined & ~run.left).count() < run.terms.minMembers) return;
            _learn(run, round);
            _closeJoin(id, run, round);
        } else if (round.phase == Phase.Share) {
            uint128 set = _vouchedFor(run, round);
            if (set != round.joined & ~run.left) return;
            _learn(run, round);
            _closeShare(id, run, round, set);
        } else if (round.phase == Phase.Commit) {
            _learn(run, round);
            if (round.set & run.left == 0) _openReady(id, run, round);
            else _retry(id, run, round, round.committed, VoidReason.TooFewLeft);
        } else if (round.phase == Phase.Ready) {
            _dropMinority(id, run, round);
        } else {
            _closeVoid(id, run, VoidReason.NoAgreement);
        }
    }

    /// Who has not done what the open phase waits for.
    function _missing(Round storage round) private view returns (uint128) {
        if (round.phase == Phase.Join) return round.roster & ~round.joined;
        if (round.phase == Phase.Share) return round.joined & ~round.vouched;
        if (round.phase == Phase.Commit) return round.set & ~round.committed;
        return round.set & ~(round.phase == Phase.Ready ? round.ready : round.voted);
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
    function _with(uint128 done, uint128 allowed, uint8 member) private pure returns (uint128) {
        require(allowed.has(member), NotInRound());
        require(!done.has(member), AlreadyDone());
        return done | Bits.one(member);
    }

    function _closeJoin(uint256 id, Run storage run, Round storage round) private {
        round.joined &= ~run.left;
        if (run.terms.open) return _openAttempt(id, run, round, round.joined, 0);
        _enter(run, round, Phase.Share);
        emit JoinClosed(id, run.round, round.joined, round.since, round.deadline);
    }

    function _expireJoin(uint256 id, Run storage run, Round storage round) private {
        if ((round.joined & ~run.left).count() >= run.terms.minMembers) _closeJoin(id, run, round);
        else _closeVoid(id, run, VoidReason.TooFewJoined);
    }

    /// Members whose shares are held by two thirds of the roster, so that their self mask can be removed for certain.
    function _vouchedFor(Run storage run, Round storage round) private view returns (uint128 set) {
        uint256 threshold = Bits.quorum(round.roster.count());
        uint256[128] memory held = Bits.tally(round.holds, round.vouched & ~run.left);
        uint128 joined = round.joined & ~run.left;
        for (uint256 i = 0; i < 128; i++) if (joined.has(i) && held[i] >= threshold) set |= Bits.one(i);
    }

    /// The first attempt.
    function _closeShare(uint256 id, Run storage run, Round storage round, uint128 set) private {
        if (set.count() < run.terms.minMembers) return _closeVoid(id, run, VoidReason.TooFewVouched);
        _strike(id, run, round.joined & ~set);
        _openAttempt(id, run, round, set, 0);
    }

    function _openAttempt(uint256 id, Run storage run, Round storage round, uint128 set, uint8 attempt) private {
        round.attempt = attempt;
        round.set = set;
        round.setHash = _hashOf(id, set);
        round.committed = 0;
        round.ready = 0;
        round.have = 0;
        round.agreed = 0;
        round.tie = false;
        _enter(run, round, Phase.Commit);
        emit AttemptOpened(id, run.round, attempt, set, round.since, round.deadline);
    }

    function _openReady(uint256 id, Run storage run, Round storage round) private {
        _enter(run, round, Phase.Ready);
        emit CommitClosed(id, run.round, round.attempt, round.since, round.deadline);
    }

    function _openReveal(uint256 id, Run storage run, Round storage round, bytes32 sum) private {
        _learn(run, round);
        _enter(run, round, Phase.Reveal);
        emit ReadyClosed(id, run.round, round.attempt, sum, round.since, round.deadline);
    }

    /// Another attempt over those of `rest` who are still in, or a VOID round: `tooFew` where too few are left, else where the attempts are used up.
    function _retry(uint256 id, Run storage run, Round storage round, uint128 rest, VoidReason tooFew) private {
        uint128 set = _stillActive(id, rest & ~run.left);
        if (set.count() < run.terms.minMembers) return _closeVoid(id, run, tooFew);
        _strike(id, run, round.set & ~set);
        if (round.attempt + 1 >= run.terms.maxAttempts) return _closeVoid(id, run, VoidReason.AttemptsUsedUp);
        _openAttempt(id, run, round, set, round.attempt + 1);
    }

    function _countReady(Round storage round, bytes32 statement, uint8 member) private {
        uint128 group = readyFor[statement] | Bits.one(member);
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

    /// All who are still in are READY, but not n of n on one sum: on with the largest group, if there is one.
    function _dropMinority(uint256 id, Run storage run, Round storage round) private {
        uint128 stay = round.set & ~run.left;
        if (stay.within(round.agreed)) _retry(id, run, round, stay, VoidReason.TooFewLeft);
        else if (round.tie) _closeVoid(id, run, VoidReason.SumsDiffer);
        else _retry(id, run, round, round.agreed, VoidReason.SumsDiffer);
    }

    /// Without: the silent; those whose vector fewer than half of the others hold; if there is neither, those not READY.
    function _expireReady(uint256 id, Run storage run, Round storage round) private {
        uint128 heard = round.ready | round.have;
        uint256 half = heard.count();
        uint256 readyCount = round.ready.count();
        uint256[128] memory held = Bits.tally(round.holds, round.have & ~round.ready);
        uint128 rest = 0;
        for (uint256 i = 0; i < 128; i++) {
            if (heard.has(i) && 2 * (readyCount + held[i]) >= half) rest |= Bits.one(i);
        }
        _retry(id, run, round, rest == round.set ? round.ready : rest, VoidReason.TooFewLeft);
    }

    function _isLate(Run storage run, uint32 number) private view returns (bool) {
        return run.finals > 0 && number == run.lastFinal && (number != run.round || !run.live);
    }

    /// A vote for a round that is FINAL already changes nothing, but shows that the member came to a result.
    function _lateVote(uint256 id, uint32 number, bool accept, bytes32 state, bytes32 model, bytes32 nextPlan) private {
        Run storage run = runs[id];
        uint8 member = _memberOf(id, run);
        run.lastVoted = _with(run.lastVoted, run.present, member);
        emit Voted(id, number, member, accept, state, model, nextPlan);
    }

    function _hashOf(uint256 id, uint128 set) private view returns (bytes32) {
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
