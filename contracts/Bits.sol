// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Sets of members as 128-bit words: bit i is the member with index i in the run's roster.
library Bits {
    function one(uint256 member) internal pure returns (uint128) {
        return uint128(1) << uint128(member);
    }

    function full(uint256 size) internal pure returns (uint128) {
        return uint128((uint256(1) << size) - 1);
    }

    function has(uint128 set, uint256 member) internal pure returns (bool) {
        return set & one(member) != 0;
    }

    function within(uint128 part, uint128 whole) internal pure returns (bool) {
        return part & ~whole == 0;
    }

    /// Kernighan's count: one turn for each bit that is set, so at most 128.
    function count(uint128 set) internal pure returns (uint256 size) {
        for (uint128 rest = set; rest != 0; rest &= rest - 1) size++;
    }

    /// Two thirds of `size`, rounded down, plus one: more than any third can block or fake.
    function quorum(uint256 size) internal pure returns (uint256) {
        return (2 * size) / 3 + 1;
    }

    /// By member: how many of `holders` say in `holds` that they hold something of it.
    function tally(uint128[128] memory holds, uint128 holders) internal pure returns (uint256[128] memory held) {
        for (uint256 i = 0; i < 128; i++) {
            if (!has(holders, i)) continue;
            uint256 member = 0;
            for (uint128 rest = holds[i]; rest != 0; rest >>= 1) {
                if (rest & 1 != 0) held[member]++;
                member++;
            }
        }
    }
}
