"""What every request to a party carries, and when it is refused for that alone."""

from __future__ import annotations

from datetime import date, timedelta

from federation.clock import Clock
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.v1.registry_pb2 import Envelope

MAX_SKEW = timedelta(days=1)
"""Two parties that are both right differ by a day at most: one is past midnight and the other is not."""


def make_envelope(clock: Clock, descriptor: Descriptor) -> Envelope:
    return Envelope(business_date=clock.today().isoformat(), descriptor_serial=descriptor.serial)


def check_envelope(envelope: Envelope, clock: Clock, descriptor: Descriptor) -> date:
    """The caller's business date.

    Raises UppropError: REQUEST_INVALID for no date, DATE_SKEW where it is more than a day off ours, DESCRIPTOR_OLDER
    where the caller works by an older descriptor than ours. A newer one is no mistake of the caller's.
    """
    try:
        business_date = date.fromisoformat(envelope.business_date)
    except ValueError as error:
        raise UppropError(Code.REQUEST_INVALID, "The request states no business date.") from error
    today = clock.today()
    if abs(business_date - today) > MAX_SKEW:
        raise UppropError(
            Code.DATE_SKEW,
            f"The request's business date {business_date} is more than a day off ours, {today}. Check the clock.",
        )
    if envelope.descriptor_serial < descriptor.serial:
        raise UppropError(
            Code.DESCRIPTOR_OLDER,
            f"The request was made by descriptor {envelope.descriptor_serial}, but {descriptor.serial} is in force. "
            "Fetch the newest one from the authority.",
        )
    return business_date
