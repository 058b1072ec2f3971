"""Why a delivery failed: the consumer, the cause and the fix; never a value of a row."""

from __future__ import annotations

import psycopg

from huiliu.errors import HuiliuError, TransientError
from returnflow.consumers import Consumer
from returnflow.spec import Package

_REPAIR = 'run "huiliu up", which restores schemas and rights, then return again'
# SQLSTATE: connection, resources, operator intervention, serialization and deadlock; lock not available.
_PASSING = ("08", "53", "57", "40", "55P03")
_MISSING_OR_CLOSED = ("42501", "3F000", "42P01", "42703")


class DeliveryError(HuiliuError):
    """A delivery cannot be made, or its receipt does not match; it concerns its own consumer alone."""


class ReturnError(HuiliuError):
    """Some deliveries failed, all others were made; the ledger ops.delivery names each."""


class PassingReturnError(ReturnError, TransientError):
    """Some deliveries failed, each for a cause that may pass: worth a retry."""


def explain(error: HuiliuError | psycopg.Error, consumer: Consumer) -> tuple[str, bool]:
    """Return one message for the ledger, and whether the cause may pass by itself."""
    if isinstance(error, HuiliuError):
        return f"{consumer}: {error}", isinstance(error, TransientError)
    state = error.sqlstate
    where = f"{consumer} (schema {consumer.schema} in front_{consumer.front_code})"
    if state is None or state.startswith(_PASSING):
        return (
            f"{where}: the connection was lost or refused ({type(error).__name__}). Fix: return again",
            True,
        )
    if state.startswith("42") and state not in _MISSING_OR_CLOSED:
        return (
            f"{where}: {error.diag.message_primary} (SQLSTATE {state}). Fix: report it, the fault is ours",
            False,
        )
    if state in _MISSING_OR_CLOSED:
        return f"{where}: {error.diag.message_primary}. Fix: {_REPAIR}", False
    # Anything else may quote a row's values in its message: name only what it concerns.
    concerns = error.diag.constraint_name or error.diag.column_name or error.diag.table_name or "its table"
    return (
        f"{where}: {type(error).__name__} (SQLSTATE {state}) on {concerns}. Fix: compare it with the package",
        False,
    )


def model_error(package: Package, error: psycopg.Error) -> DeliveryError:
    """Say why a return model cannot be read as its package describes it."""
    model = f'"return".{package.model}'
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InsufficientPrivilege):
        fix = f'run "huiliu build", which makes {model}'
    elif isinstance(error, psycopg.errors.UndefinedColumn):
        fix = f"add it to {model}, or take it out of the package"
    else:
        # A value that does not fit its type would be quoted in the message.
        return DeliveryError(
            f"{package.name}: {model} does not fit the package (SQLSTATE {error.sqlstate})",
            fix="compare the package's columns with the model's",
        )
    return DeliveryError(f"{package.name}: {error.diag.message_primary}", fix=fix)


def closed_to(consumer: Consumer, what: str, fix: str = _REPAIR) -> DeliveryError:
    """Say which schema or right of a consumer is missing."""
    return DeliveryError(f"front_{consumer.front_code}: {what}", fix=fix)
