"""Share files and registry key files: what is written is read again, and nothing shows a secret."""

from __future__ import annotations

import secrets

import pytest

from privacy import keys, oprf, registry_key, threshold
from privacy.errors import PrivacyError, Reason


def test_dealt_files_read_back_as_what_was_dealt() -> None:
    dealt = keys.deal_epoch(3, 2, 3, secrets.token_bytes, share_version=4)
    for index, content in dealt.shares.items():
        share = keys.parse_share(content)
        assert (share.epoch, share.index, share.version, share.threshold) == (3, index, 4, 2)
        assert share.commitment == dealt.commitments[index] == oprf.public_key(share.secret)
        assert keys.serialise_share(share) == content
    threshold.check_commitments(2, dealt.commitments, dealt.public_key)


def test_a_registry_key_reads_back() -> None:
    content = keys.deal_epoch(3, 2, 3, secrets.token_bytes).registry_key
    key = registry_key.parse_registry_key(content)
    assert key.epoch == 3
    assert registry_key.serialise_registry_key(key) == content


def test_no_share_file_holds_more_than_its_own_share() -> None:
    dealt = keys.deal_epoch(1, 2, 3, secrets.token_bytes)
    for index, content in dealt.shares.items():
        for other, share in dealt.shares.items():
            assert index == other or keys.parse_share(share).secret.hex().encode() not in content


def test_no_repr_shows_a_secret() -> None:
    dealt = keys.deal_epoch(1, 2, 3, secrets.token_bytes)
    share = keys.parse_share(dealt.shares[1])
    own_key = registry_key.RegistryKey(1, secrets.token_bytes(32))
    shown = f"{dealt!r} {share!r} {own_key!r}"
    for secret in (share.secret, own_key.secret):
        assert secret.hex() not in shown
        assert repr(bytes(secret))[2:-1] not in shown


def test_what_is_wrong_in_a_file_is_never_quoted() -> None:
    dealt = keys.deal_epoch(1, 2, 3, secrets.token_bytes)
    secret = keys.parse_share(dealt.shares[1]).secret.hex()
    for broken in (dealt.shares[1].replace(b'secret = "', b'secret = "x'), dealt.shares[1][:-2]):
        with pytest.raises(PrivacyError) as caught:
            keys.parse_share(broken)
        assert caught.value.reason is Reason.FILE_MALFORMED
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        assert secret not in str(caught.value)
