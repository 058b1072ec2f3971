"""The errors Huiliu raises on purpose: each names the thing that is wrong and what to do about it."""

from __future__ import annotations


class HuiliuError(Exception):
    """A failure explained to the operator; ``fix`` is the next thing to do. Never carries personal data."""

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(message, fix)
        self.message = message.rstrip(".")
        self.fix = fix.rstrip(".")

    def __str__(self) -> str:
        return f"{self.message}. Fix: {self.fix}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by the default, and Airflow carries errors between processes.
        return (_rebuild, (type(self), self.message, self.fix))


def _rebuild(kind: type[HuiliuError], message: str, fix: str) -> HuiliuError:
    return kind(message, fix=fix)


class ConfigError(HuiliuError):
    """A setting, spec or right is wrong: found before work begins, and a retry cannot help."""


class TransientError(HuiliuError):
    """Something is unreachable, busy or locked for now: worth a retry."""


class DataError(HuiliuError):
    """The data are not what the spec promises (missing column, wrong encoding): a retry cannot help."""
