// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bits} from './Bits.sol';
import {RoundPhases} from './RoundPhases.sol';
import {RunBook} from './RunBook.sol';
import {Studies} from './Studies.sol';

/// Runs of approved studies, round by round. The address of this contract, with the chain's id, is the consortium's identity.
contract Rounds is RoundPhases {
    using Bits for uint128;

    /// A sum of fewer members is never revealed, whatever the study's terms say.
    uint8 public constant MIN_MEMBERS = 3;
    uint8 public constant MAX_MEMBERS = 128;
    uint8 public constant MAX_ATTEMPTS = 8;

    constructor(Studies registry) RunBook(registry) {}

    /// Starts a run with exactly the members that approved the study; `roster` is sorted and fixes everybody's index.
    function startRun(bytes32 study, address[] calldata roster, Terms calldata terms, bytes32 base, bytes32 plan) external {
        require(members.isActive(msg.sender), NotActive(msg.sender));
        require(liveRun[study] == 0, RunIsLive(liveRun[study]));
        require(roster.length >= MIN_MEMBERS && roster.length <= MAX_MEMBERS, BadRoster());
        require(studies.areTheApprovers(study, roster), BadRoster());
        _checkTerms(terms, roster.length);
        uint256 id = ++runCount;
        liveRun[study] = id;
        _enlist(id, roster);
        Run storage run = runs[id];
        run.study = study;
        run.starter = msg.sender;
        run.live = true;
        run.terms = terms;
        run.expected = Bits.full(roster.length);
        emit RunStarted(id, study, msg.sender, roster, terms, base, plan);
        _openRound(id, run, base, plan);
    }

    function stopRun(uint256 id) external {
        Run storage run = _startedRun(id);
        require(run.starter == msg.sender, NotStarter());
        _end(id, run, Outcome.Stopped);
    }

    /// Takes back everything after the run's first `keep` FINAL rounds: the open round is VOID, and the next one starts from the state of the last that stands.
    function rollBack(uint256 id, uint32 keep) external {
        Run storage run = _startedRun(id);
        require(run.starter == msg.sender, NotStarter());
        require(keep >= 1 && keep <= run.finals, NoSuchResult());
        Result storage result = results[id][keep];
        emit RolledBack(id, result.round);
        emit Void(id, run.round, open[id].attempt, VoidReason.RolledBack);
        run.finals = keep;
        run.voids = 0;
        run.present = result.set;
        run.lastFinal = result.round;
        run.lastVoted = result.set;
        _openNext(id, run, run.expected, result.state, result.nextPlan);
    }

    /// For good, and at any time: consent can be taken back. Nobody waits for the sender from here on; the run fails where too few are left.
    function leaveRun(uint256 id) external {
        (Run storage run, uint8 member) = _acting(id);
        run.left |= Bits.one(member);
        emit Left(id, member);
        uint128 rest = Bits.full(rosters[id].length) & ~run.left;
        if (rest.count() < run.terms.minMembers) _end(id, run, Outcome.Failed);
        else _settle(id, run, open[id]);
    }

    /// After having dropped out: the next round counts on this member again.
    function rejoinRun(uint256 id) external {
        (Run storage run, uint8 member) = _acting(id);
        require(!run.suspended.has(member), IsSuspended());
        require(!run.returning.has(member), AlreadyDone());
        run.returning |= Bits.one(member);
        emit Rejoined(id, member);
    }

    /// A suspended member's own admin has seen to what was wrong: its strikes are taken away.
    function reinstate(uint256 id) external {
        (Run storage run, uint8 member) = _acting(id);
        require(run.suspended.has(member), NotSuspended());
        run.suspended &= ~Bits.one(member);
        run.struck &= ~Bits.one(member);
        emit Reinstated(id, member);
    }

    function runOf(uint256 id) external view returns (Run memory) {
        return runs[id];
    }

    function roundOf(uint256 id) external view returns (Round memory) {
        return open[id];
    }

    function rosterOf(uint256 id) external view returns (address[] memory) {
        return rosters[id];
    }

    /// A starter need not be in the roster, so this asks for less than `_acting`.
    function _startedRun(uint256 id) private view returns (Run storage run) {
        require(members.isActive(msg.sender), NotActive(msg.sender));
        require(id >= 1 && id <= runCount, NoSuchRun());
        run = runs[id];
        require(run.live, RunIsOver());
    }

    function _enlist(uint256 id, address[] calldata roster) private {
        for (uint256 i = 0; i < roster.length; i++) {
            rosters[id].push(roster[i]);
            places[id][roster[i]] = uint8(i + 1);
        }
    }

    function _checkTerms(Terms calldata terms, uint256 size) private pure {
        require(terms.rounds >= 1 && terms.minMembers >= MIN_MEMBERS && terms.minMembers <= size, BadTerms());
        require(terms.maxAttempts >= 1 && terms.maxAttempts <= MAX_ATTEMPTS, BadTerms());
        bool allTimes = terms.joinS > 0 && terms.shareS > 0 && terms.commitS > 0 && terms.readyS > 0 && terms.revealS > 0;
        require(allTimes, BadTerms());
        require(terms.groupSize == 0 || (terms.groupSize >= MIN_MEMBERS && !terms.open), BadTerms());
        require(terms.protocol >= 1, BadTerms());
    }
}
