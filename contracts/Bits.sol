// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Sets of members as 64-bit words: bit i is the member with index i in the run's roster.
library Bits {
    function one(uint256 member) internal pure returns (uint64) {
        return uint64(1) << uint64(member);
    }

    function full(uint256 size) internal pure returns (uint64) {
        return uint64((uint256(1) << size) - 1);
    }

    function has(uint64 set, uint256 member) internal pure returns (bool) {
        return set & one(member) != 0;
    }

    function within(uint64 part, uint64 whole) internal pure returns (bool) {
        return part & ~whole == 0;
    }

    /// Kernighan's count: one turn for each bit that is set, so at most 64.
    function count(uint64 set) internal pure returns (uint256 size) {
        for (uint64 rest = set; rest != 0; rest &= rest - 1) size++;
    }

    /// Two thirds of `size`, rounded down, plus one: more than any third can block or fake.
    function quorum(uint256 size) internal pure returns (uint256) {
        return (2 * size) / 3 + 1;
    }

    /// How many of `holders` say in `holds` that they hold something of `member`.
    function heldBy(uint64[64] storage holds, uint64 holders, uint256 member) internal view returns (uint256 size) {
        for (uint256 i = 0; i < 64; i++) if (has(holders, i) && has(holds[i], member)) size++;
    }
}
