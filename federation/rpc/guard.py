"""What happens around every RPC, in this order: counted, timed, a deadline demanded, the caller authorised and held to
its limits, handled; and whatever was raised turned into a status.

Invariant: only the code and the sentence of a `UppropError` leave the process; of any other exception the log gets the
type and the place, never the text, which may quote what was being handled.
"""

from __future__ import annotations

import contextlib
import contextvars
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import grpc

from federation import deadline
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log, Metrics, place_of
from federation.rpc import caller
from federation.rpc.authorisation import Authorising, Rule
from federation.rpc.fairness import Fairness, OverloadedError
from federation.rpc.status import INTERNAL_SENTENCE, grpc_status, trailing_metadata
from federation.thinning import UNKNOWN, Thinning

LONGEST_DEADLINE = 3_600.0
"""Seconds. A call without a deadline shows as one of centuries."""

RPC_ANSWERED = Event("rpc_answered", ("method", "caller"), Level.INFO)
RPC_REFUSED = Event("rpc_refused", ("method", "code", "caller"), Level.INFO)
RPC_FAILED = Event("rpc_failed", ("method", "exception", "where", "caller"), Level.ERROR)

Behaviour = Callable[[Any, grpc.ServicerContext], Any]


class Guard:
    """Wraps every handler of a server. Without an `authoriser` the transport itself is the authorisation.

    Refusals are logged as far as `Thinning` grants, failures always, answered calls only where `log_answered` asks for
    it. `fairness` limits each authorised caller.
    """

    def __init__(
        self,
        rules: Mapping[str, Rule],
        authoriser: Authorising | None,
        metrics: Metrics,
        log: Log,
        *,
        log_answered: bool = False,
        fairness: Fairness | None = None,
    ) -> None:
        self.rules = rules
        self.authoriser = authoriser
        self.metrics = metrics
        self.log = log
        self.log_answered = log_answered
        self.fairness = fairness
        self.refusals = Thinning()

    def unary(self, method: str, behaviour: Behaviour) -> Behaviour:
        def handle(request: Any, context: grpc.ServicerContext) -> Any:
            with _Call(self, method, "unary", context) as call:
                call.admit(request)
                response = behaviour(request, context)
                call.answered(response)
                call.status = grpc.StatusCode.OK
                return response

        return handle

    def stream(self, method: str, behaviour: Behaviour) -> Behaviour:
        def handle(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with _Call(self, method, "server_stream", context) as call:
                call.admit(request)
                for response in behaviour(request, context):
                    call.answered(response)
                    yield response
                call.status = grpc.StatusCode.OK

        return handle


class _Call:
    """One RPC from arrival to end."""

    def __init__(self, guard: Guard, method: str, kind: str, context: grpc.ServicerContext) -> None:
        self._guard = guard
        self._method = method
        service, _, name = method.rpartition("/")
        self._labels = (kind, service, name)
        self._context = context
        self._caller: caller.Caller | None = None
        self._token: contextvars.Token[caller.Caller] | None = None
        # Whoever leaves before the end (GeneratorExit) was cancelled.
        self.status = grpc.StatusCode.CANCELLED
        self._begun = 0.0
        self._admitted = contextlib.ExitStack()

    def __enter__(self) -> _Call:
        self._begun = time.monotonic()
        self._guard.metrics.rpc_started.labels(*self._labels).inc()
        return self

    def admit(self, request: Any) -> None:
        remaining = self._context.time_remaining()
        if remaining > LONGEST_DEADLINE:
            raise UppropError(
                Code.REQUEST_INVALID, f"Every call must have a deadline of at most {LONGEST_DEADLINE:.0f} seconds."
            )
        if remaining <= 0:
            # It has waited for a thread until nobody waits for it any more.
            raise deadline.passed()
        self._admitted.enter_context(deadline.within(remaining))
        guard = self._guard
        if guard.authoriser is None:
            return
        self._caller = guard.authoriser.authorise(self._context, guard.rules[self._method])
        self._token = caller.current.set(self._caller)
        if guard.fairness is not None:
            self._admitted.enter_context(guard.fairness.admit(self._caller.uri, request.ByteSize()))

    def answered(self, response: Any) -> None:
        if self._guard.fairness is not None and self._caller is not None:
            self._guard.fairness.answered(self._caller.uri, response.ByteSize())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        try:
            if isinstance(error, UppropError):
                self.status = grpc_status(error.code)
                if self._guard.refusals.grants(self._known()):
                    self._log(RPC_REFUSED, code=error.code)
                self._abort(
                    error.code, error.sentence, error.retry_after if isinstance(error, OverloadedError) else None
                )
            elif isinstance(error, Exception):
                self.status = grpc.StatusCode.INTERNAL
                self._log(RPC_FAILED, exception=type(error).__name__, where=place_of(error))
                self._abort(Code.INTERNAL, INTERNAL_SENTENCE)
            elif self._guard.log_answered and self.status is grpc.StatusCode.OK:
                self._log(RPC_ANSWERED)
        finally:
            self._admitted.close()
            if self._token is not None:
                # Threads are used again: the next call must not find this caller.
                caller.current.reset(self._token)
            metrics = self._guard.metrics
            labels = (*self._labels, self.status.name)
            metrics.rpc_handled.labels(*labels).inc()
            metrics.rpc_seconds.labels(*labels).observe(time.monotonic() - self._begun)

    def _known(self) -> str:
        return self._caller.uri if isinstance(self._caller, caller.Party) else UNKNOWN

    def _log(self, event: Event, **fields: Any) -> None:
        who = None if self._caller is None else self._caller.uri
        self._guard.log(event, method=self._method, caller=who, **fields)

    def _abort(self, code: Code, sentence: str, retry_after: float | None = None) -> NoReturn:
        self._context.set_trailing_metadata(trailing_metadata(code, sentence, retry_after))
        self._context.abort(self.status, sentence)
        raise AssertionError("abort raises")
