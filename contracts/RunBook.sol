// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bits} from './Bits.sol';
import {Members} from './Members.sol';
import {RoundFacts} from './RoundFacts.sol';
import {Studies} from './Studies.sol';

/// What is kept of runs, who may act, and how a round opens and closes. The phases in between are in `RoundPhases`.
abstract contract RunBook is RoundFacts {
    using Bits for uint128;

    /// A run fails after this many VOID rounds in a row.
    uint8 public constant MAX_VOIDS = 3;
    /// However fast a swarm was, a phase lasts this many seconds before anybody is left out.
    uint32 public constant SHORTEST_S = 8;

    Studies public immutable studies;
    Members public immutable members;

    uint256 public runCount;
    /// The run of a study that is not over, or 0.
    mapping(bytes32 => uint256) public liveRun;
    mapping(uint256 => Run) internal runs;
    mapping(uint256 => Round) internal open;
    /// By run and number of FINAL rounds that stand: the newest of them.
    mapping(uint256 => mapping(uint32 => Result)) internal results;
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
        uint128 roster = _stillActive(id, run.expected & ~run.left & ~run.suspended);
        Round storage round = open[id];
        round.base = base;
        round.plan = plan;
        round.attempt = 0;
        round.roster = roster;
        round.joined = 0;
        round.set = 0;
        round.vouched = 0;
        round.voted = 0;
        round.rejected = 0;
        _enter(run, round, Phase.Join);
        emit Opened(id, run.round, base, plan, roster, round.since, round.deadline);
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
        run.struck &= ~round.set;
        results[id][run.finals] = Result(state, nextPlan, round.set, run.round);
        if (run.finals == run.terms.rounds) return _end(id, run, Outcome.Complete);
        _openNext(id, run, round.set, state, nextPlan);
    }

    /// No result: the next round starts from the same base, without the members that did not even join; where too few joined nobody can be spared.
    function _closeVoid(uint256 id, Run storage run, VoidReason reason) internal {
        Round storage round = open[id];
        emit Void(id, run.round, round.attempt, reason);
        run.voids += 1;
        if (run.voids == MAX_VOIDS) return _end(id, run, Outcome.Failed);
        _openNext(id, run, reason == VoidReason.TooFewJoined ? run.expected : run.expected & round.joined, round.base, round.plan);
    }

    /// The next round counts on `expected` and on those that came back.
    function _openNext(uint256 id, Run storage run, uint128 expected, bytes32 base, bytes32 plan) internal {
        run.expected = expected | run.returning;
        run.returning = 0;
        run.round += 1;
        _openRound(id, run, base, plan);
    }

    /// Begins a phase: it may last four times the pace and two seconds, at least SHORTEST_S, at most what the terms say.
    function _enter(Run storage run, Round storage round, Phase phase) internal {
        uint256 longest = _termOf(run.terms, phase);
        uint256 pace = run.pace[uint8(phase)];
        uint256 limit = 4 * pace + 2;
        if (limit < SHORTEST_S) limit = SHORTEST_S;
        if (pace == 0 || limit > longest) limit = longest;
        round.phase = phase;
        round.since = uint64(block.timestamp);
        round.deadline = uint64(block.timestamp + limit);
    }

    /// Everybody acted. The first FINAL round teaches nothing: it may be the statistics of a study, which are no measure for what follows.
    /// Later attempts teach nothing about COMMIT, for they train no more.
    function _learn(Run storage run, Round storage round) internal {
        if (run.finals == 0 || (round.phase == Phase.Commit && round.attempt > 0)) return;
        uint256 pace = (uint256(run.pace[uint8(round.phase)]) * 3) / 4;
        uint256 took = block.timestamp - round.since;
        if (took > pace) pace = took;
        run.pace[uint8(round.phase)] = pace == 0 ? 1 : uint32(pace);
    }

    /// Somebody was missing at the deadline: next time the phase may last twice as long.
    function _ease(Run storage run, Round storage round) internal {
        uint8 phase = uint8(round.phase);
        if (run.pace[phase] != 0) run.pace[phase] = uint32((round.deadline - round.since) / 2);
    }

    /// The round goes on without these members: a strike for each, and at the second one it is suspended.
    function _strike(uint256 id, Run storage run, uint128 out) internal {
        out &= ~run.left;
        if (out == 0) return;
        uint128 second = out & run.struck;
        run.struck |= out;
        run.suspended |= second;
        run.expected &= ~second;
        run.returning &= ~second;
        emit Struck(id, run.round, out, second);
    }

    function _end(uint256 id, Run storage run, Outcome outcome) internal {
        run.live = false;
        open[id].phase = Phase.None;
        liveRun[run.study] = 0;
        emit RunEnded(id, outcome, run.present);
    }

    function _stillActive(uint256 id, uint128 wanted) internal view returns (uint128 active) {
        address[] storage roster = rosters[id];
        for (uint256 i = 0; i < roster.length; i++) {
            if (wanted.has(i) && members.isActive(roster[i])) active |= Bits.one(i);
        }
    }

    function _termOf(Terms storage terms, Phase phase) private view returns (uint32) {
        if (phase == Phase.Join) return terms.joinS;
        if (phase == Phase.Share) return terms.shareS;
        if (phase == Phase.Commit) return terms.commitS;
        return phase == Phase.Ready ? terms.readyS : terms.revealS;
    }
}
