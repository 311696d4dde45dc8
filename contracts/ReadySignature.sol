// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The READY statement as EIP-712 typed data: a member agrees to be unmasked in exactly this set with exactly this sum.
library ReadySignature {
    bytes32 private constant DOMAIN = keccak256('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)');
    bytes32 private constant READY = keccak256('Ready(bytes32 context,bytes32 members,bytes32 sum)');
    /// Half of the secp256k1 group order: above it a signature is the malleable twin of another (EIP-2).
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// The signer, or zero where the signature is not valid in its one canonical form (65 bytes, low s, v 27 or 28).
    function signer(address verifier, bytes32 context, bytes32 members, bytes32 sum, bytes calldata signature) internal view returns (address) {
        if (signature.length != 65) return address(0);
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        if (uint256(s) > HALF_ORDER) return address(0);
        bytes32 domain = keccak256(abi.encode(DOMAIN, keccak256('Schwarm'), keccak256('1'), block.chainid, verifier));
        bytes32 statement = keccak256(abi.encode(READY, context, members, sum));
        return ecrecover(keccak256(abi.encodePacked(hex'1901', domain, statement)), uint8(signature[64]), r, s);
    }
}
