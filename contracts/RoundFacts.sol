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
        NoAgreement
    }
    enum Outcome {
        Complete,
        Failed,
        Stopped
    }

    /// What the study's approved terms say and this contract enforces; times in seconds.
    struct Terms {
        uint32 rounds;
        uint8 minMembers;
        uint8 maxAttempts;
        uint32 joinS;
        uint32 shareS;
        uint32 commitS;
        uint32 readyS;
        uint32 revealS;
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
        uint64 expected;
        /// Members that asked to be counted on again from the next round.
        uint64 returning;
        /// Members that left for good.
        uint64 left;
        /// The set of the last FINAL round.
        uint64 present;
        uint32 lastFinal;
        /// Who voted in the last FINAL round, late votes included.
        uint64 lastVoted;
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
        uint64 deadline;
        uint64 roster;
        uint64 joined;
        /// The members of the attempt: U in the protocol.
        uint64 set;
        uint64 committed;
        uint64 ready;
        uint64 have;
        uint64 vouched;
        uint64 voted;
        /// The largest group of READY members with one context and one sum.
        uint64 agreed;
        /// Whose shares (SHARE) or masked vectors (READY) a member says to hold.
        uint64[64] holds;
    }

    event RunStarted(uint256 indexed run, bytes32 indexed study, address indexed starter, address[] roster, Terms terms, bytes32 base, bytes32 plan);
    event Rejoined(uint256 indexed run, uint8 member);
    event Left(uint256 indexed run, uint8 member);
    event RunEnded(uint256 indexed run, Outcome outcome, uint64 present);

    event Opened(uint256 indexed run, uint32 indexed round, bytes32 base, bytes32 plan, uint64 roster, uint64 deadline);
    event Joined(uint256 indexed run, uint32 indexed round, uint8 member, bytes32 bundle);
    event JoinClosed(uint256 indexed run, uint32 indexed round, uint64 joined, uint64 deadline);
    event Vouched(uint256 indexed run, uint32 indexed round, uint8 member, uint64 holds);
    event AttemptOpened(uint256 indexed run, uint32 indexed round, uint8 attempt, uint64 set, uint64 deadline);
    event Committed(uint256 indexed run, uint32 indexed round, uint8 attempt, uint8 member, bytes32 root);
    event CommitClosed(uint256 indexed run, uint32 indexed round, uint8 attempt, uint64 deadline);
    event Have(uint256 indexed run, uint32 indexed round, uint8 attempt, uint8 member, uint64 holds);
    event Ready(uint256 indexed run, uint32 indexed round, uint8 attempt, uint8 member, bytes32 context, bytes32 sum, bytes signature);
    event ReadyClosed(uint256 indexed run, uint32 indexed round, uint8 attempt, bytes32 sum, uint64 deadline);
    event Voted(uint256 indexed run, uint32 indexed round, uint8 member, bytes32 state, bytes32 model, bytes32 nextPlan);
    event Final(uint256 indexed run, uint32 indexed round, uint8 attempt, uint64 set, bytes32 state, bytes32 model, bytes32 nextPlan);
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
    error WrongRound(uint32 open);
    error WrongAttempt(uint8 open);
    error WrongPhase(Phase open);
    error AlreadyDone();
    error NotYetExpired(uint64 deadline);
    error NotASubset();
    error BadSignature();
}
