#!/usr/bin/env python3
"""Makes seeds for the MLS fuzz targets from the working group's messages.json.

usage: seeds_from_vectors.py VECTORS CORPUS     (folders; writes CORPUS/<target>/vector-<n>)
"""
import json
import pathlib
import sys

# Which field of the vectors is a seed of which target.
TARGETS = {
    "mls_welcome": "mls_welcome_fuzz",
    "mls_group_info": "mls_group_info_fuzz",
    "mls_key_package": "mls_key_package_fuzz",
    "public_message_application": "mls_public_message_fuzz",
    "public_message_proposal": "mls_public_message_fuzz",
    "public_message_commit": "mls_public_message_fuzz",
    "private_message": "mls_private_message_fuzz",
    "ratchet_tree": "mls_tree_fuzz",
    "group_secrets": "mls_group_secrets_fuzz",
    "commit": "mls_commit_fuzz",
    "add_proposal": "mls_proposal_fuzz",
    "update_proposal": "mls_proposal_fuzz",
    "remove_proposal": "mls_proposal_fuzz",
    "pre_shared_key_proposal": "mls_proposal_fuzz",
    "re_init_proposal": "mls_proposal_fuzz",
    "external_init_proposal": "mls_proposal_fuzz",
    "group_context_extensions_proposal": "mls_proposal_fuzz",
}
# The vectors hold a proposal's body; on the wire its type stands before it.
PROPOSAL_TYPES = {
    "add_proposal": 1, "update_proposal": 2, "remove_proposal": 3, "pre_shared_key_proposal": 4,
    "re_init_proposal": 5, "external_init_proposal": 6, "group_context_extensions_proposal": 7,
}
CASES = 12


def main():
    vectors, corpus = map(pathlib.Path, sys.argv[1:3])
    for number, case in enumerate(json.loads((vectors / "messages.json").read_text())[:CASES]):
        for field, target in TARGETS.items():
            seed = bytes.fromhex(case[field])
            if field in PROPOSAL_TYPES:
                seed = PROPOSAL_TYPES[field].to_bytes(2, "big") + seed
            folder = corpus / target
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"vector-{field}-{number}").write_bytes(seed)


if __name__ == "__main__":
    main()
