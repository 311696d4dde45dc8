// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bits} from './Bits.sol';
import {Members} from './Members.sol';
import {RoundFacts} from './RoundFacts.sol';
import {Studies} from './Studies.sol';

/// What is kept of runs, who may act, and how a round opens and closes. The phases in between are in `RoundPhases`.
abstract contract RunBook is RoundFacts {
    using Bits for uint64;

    /// A run fails after this many VOID rounds in a row.
    uint8 public constant MAX_VOIDS = 3;

    Studies public immutable studies;
    Members public immutable members;

    uint256 public runCount;
    /// The run of a study that is not over, or 0.
    mapping(bytes32 => uint256) public liveRun;
    mapping(uint256 => Run) internal runs;
    mapping(uint256 => Round) internal open;
    mapping(uint256 => address[]) internal rosters;
    /// Index in the roster plus one; 0 for everybody else.
    mapping(uint256 => mapping(address => uint8)) internal places;

    constructor(Studies registry) {
        studies = registry;
        members = registry.members();
    }

    /// The run, if it is not over, and the sender's index in it; refuses everybody who has no say in this run.
    function _acting(uint256 id) internal view returns (Run storage run, uint8 member) {
        require(id >= 1 && id <= runCount, NoSuchRun());
        run = runs[id];
        require(run.live, RunIsOver());
        member = _memberOf(id, run);
    }

    function _memberOf(uint256 id, Run storage run) internal view returns (uint8 member) {
        require(members.isActive(msg.sender), NotActive(msg.sender));
        uint8 place = places[id][msg.sender];
        require(place != 0, NotInRun());
        member = place - 1;
        require(!run.left.has(member), HasLeft());
    }

    function _openRound(uint256 id, Run storage run, bytes32 base, bytes32 plan) internal {
        uint64 roster = _stillActive(id, run.expected & ~run.left);
        Round storage round = open[id];
        round.base = base;
        round.plan = plan;
        round.phase = Phase.Join;
        round.attempt = 0;
        round.deadline = _after(run.terms.joinS);
        round.roster = roster;
        round.joined = 0;
        round.set = 0;
        round.vouched = 0;
        round.voted = 0;
        emit Opened(id, run.round, base, plan, roster, round.deadline);
    }

    /// The result stands: the next round starts from it, with the members that made it and those that came back.
    function _closeFinal(uint256 id, Run storage run, bytes32 state, bytes32 model, bytes32 nextPlan) internal {
        Round storage round = open[id];
        emit Final(id, run.round, round.attempt, round.set, state, model, nextPlan);
        run.present = round.set;
        run.lastFinal = run.round;
        run.lastVoted = round.voted;
        run.finals += 1;
        run.voids = 0;
        run.expected = round.set | run.returning;
        run.returning = 0;
        if (run.finals == run.terms.rounds) return _end(id, run, Outcome.Complete);
        run.round += 1;
        _openRound(id, run, state, nextPlan);
    }

    /// No result: the next round starts from the same base, without the members that did not even join.
    function _closeVoid(uint256 id, Run storage run, VoidReason reason) internal {
        Round storage round = open[id];
        emit Void(id, run.round, round.attempt, reason);
        run.voids += 1;
        run.expected = (run.expected & round.joined) | run.returning;
        run.returning = 0;
        if (run.voids == MAX_VOIDS) return _end(id, run, Outcome.Failed);
        run.round += 1;
        _openRound(id, run, round.base, round.plan);
    }

    function _end(uint256 id, Run storage run, Outcome outcome) internal {
        run.live = false;
        open[id].phase = Phase.None;
        liveRun[run.study] = 0;
        emit RunEnded(id, outcome, run.present);
    }

    function _stillActive(uint256 id, uint64 wanted) private view returns (uint64 active) {
        address[] storage roster = rosters[id];
        for (uint256 i = 0; i < roster.length; i++) {
            if (wanted.has(i) && members.isActive(roster[i])) active |= Bits.one(i);
        }
    }

    function _after(uint32 secondsFromNow) internal view returns (uint64) {
        return uint64(block.timestamp) + secondsFromNow;
    }
}
