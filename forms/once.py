"""A value of an object that is worked out when it is first asked for."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_T = TypeVar("_T")


class once(Generic[_T]):
    """`functools.cached_property` without its lock, which costs more than most of what is worked out in merging.

    For objects that one thread alone works on.
    """

    def __init__(self, work: Callable[[Any], _T]) -> None:
        self._work, self._name, self.__doc__ = work, work.__name__, work.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> "once[_T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> "once[_T] | _T":
        if instance is None:
            return self
        found = instance.__dict__[self._name] = self._work(instance)  # from now on found there, without this
        return found
