// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The words of runs and rounds: phases, terms, what is stored, what is said as events, and why a call is refused.
abstract contract RoundFacts {
    enum Phase {
        None,
        Join,
        Share,
        Commit,
        Ready,
        Reveal
    }
    enum VoidReason {
        TooFewJoined,
        TooFewVouched,
        TooFewLeft,
        AttemptsUsedUp,
        SumsDiffer,
        NoAgreement,
        Rejected,
        RolledBack
    }
    enum Outcome {
        Complete,
        Failed,
        Stopped
    }

    /// What the study's approved terms say and this contract enforces. The seconds are the longest that a phase may take.
    struct Terms {
        uint32 rounds;
        uint8 minMembers;
        uint8 maxAttempts;
        uint32 joinS;
        uint32 shareS;
        uint32 commitS;
        uint32 readyS;
        uint32 revealS;
        /// No masks: JOIN is followed by COMMIT.
        bool open;
        /// Members of a group that sums among itself, for the members to follow; 0 for one sum over all.
        uint8 groupSize;
        /// Version of the protocol between peers that the run is spoken in, for the members to follow.
        uint8 protocol;
    }

    struct Run {
        bytes32 study;
        address starter;
        /// Number of the round that is open, from 0.
        uint32 round;
        /// Rounds that became FINAL.
        uint32 finals;
        /// Rounds that became VOID since the last FINAL.
        uint8 voids;
        bool live;
        Terms terms;
        /// Members that the next round counts on.
        uint128 expected;
        /// Members that asked to be counted on again from the next round.
        uint128 returning;
        /// Members that left for good.
        uint128 left;
        /// The set of the last FINAL round.
        uint128 present;
        uint32 lastFinal;
        /// Who voted in the last FINAL round, late votes included.
        uint128 lastVoted;
        /// Members with a strike: left out of an attempt that went on without them, and in no FINAL set since.
        uint128 struck;
        /// Members with two strikes, until they call `reinstate`.
        uint128 suspended;
        /// By phase: the slowest seconds seen with everybody acting, easing by a quarter each time; 0 is unknown.
        uint32[6] pace;
    }

    /// A FINAL round as roll-back needs it.
    struct Result {
        bytes32 state;
        bytes32 nextPlan;
        uint128 set;
        uint32 round;
    }

    /// The open round of a run; the next round is written over it.
    struct Round {
        bytes32 base;
        bytes32 plan;
        /// SHA-256 over the 20-byte accounts of `set` in index order.
        bytes32 setHash;
        Phase phase;
        uint8 attempt;
        /// Two READY groups are equally large.
        bool tie;
        /// When the phase began, and when it may be closed without those who are missing.
        uint64 since;
        uint64 deadline;
        uint128 roster;
        uint128 joined;
        /// The members of the attempt: U in the protocol.
        uint128 set;
        uint128 committed;
        uint128 ready;
        uint128 have;
        uint128 vouched;
        uint128 voted;
        /// Those whose own rows speak against the result.
        uint128 rejected;
        /// The largest group of READY members with one context and one sum.
        uint128 agreed;
        /// Whose shares (SHARE) or masked vectors (READY) a member says to hold.
        uint128[128] holds;
    }

    event RunStarted(uint256 indexed run, bytes32 indexed study, address indexed starter, address[] roster, Terms terms, bytes32 base, bytes32 plan);
    event Rejoined(uint256 indexed run, uint8 member);
    event Left(uint256 indexed run, uint8 member);
    event Struck(uint256 indexed run, uint32 round, uint128 members, uint128 suspended);
    event Reinstated(uint256 indexed run, uint8 member);
    event RolledBack(uint256 indexed run, uint32 to);
    event RunEnded(uint256 indexed run, Outcome outcome, uint128 present);

    event Opened(uint256 indexed run, uint32 indexed round, bytes32 base, bytes32 plan, uint128 roster, uint64 since, uint64 deadline);
    event Joined(uint256 indexed run, uint32 indexed round, uint8 member, bytes32 bundle);
    event JoinClosed(uint256 indexed run, uint32 indexed round, uint128 joined, uint64 since, uint64 deadline);
    event Vouched(uint256 indexed run, uint32 indexed round, uint8 member, uint128 holds);
    event AttemptOpened(uint256 indexed run, uint32 indexed round, uint8 attempt, uint128 set, uint64 since, uint64 deadline);
    event Committed(uint256 indexed run, uint32 indexed round, uint8 attempt, uint8 member, bytes32 root);
    event CommitClosed(uint256 indexed run, uint32 indexed round, uint8 attempt, uint64 since, uint64 deadline);
    event Have(uint256 indexed run, uint32 indexed round, uint8 attempt, uint8 member, uint128 holds);
    event Ready(uint256 indexed run, uint32 indexed round, uint8 attempt, uint8 member, bytes32 context, bytes32 sum, bytes signature);
    event ReadyClosed(uint256 indexed run, uint32 indexed round, uint8 attempt, bytes32 sum, uint64 since, uint64 deadline);
    event Voted(uint256 indexed run, uint32 indexed round, uint8 member, bool accept, bytes32 state, bytes32 model, bytes32 nextPlan);
    event Final(uint256 indexed run, uint32 indexed round, uint8 attempt, uint128 set, bytes32 state, bytes32 model, bytes32 nextPlan);
    event Void(uint256 indexed run, uint32 indexed round, uint8 attempt, VoidReason reason);

    error NotActive(address account);
    error BadTerms();
    error BadRoster();
    error RunIsLive(uint256 run);
    error NoSuchRun();
    error RunIsOver();
    error NotStarter();
    error NotInRun();
    error NotInRound();
    error HasLeft();
    error IsSuspended();
    error NotSuspended();
    error NoSuchResult();
    error WrongRound(uint32 open);
    error WrongAttempt(uint8 open);
    error WrongPhase(Phase open);
    error AlreadyDone();
    error NotYetExpired(uint64 deadline);
    error NotASubset();
    error BadSignature();
}
