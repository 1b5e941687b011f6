"""Only one process runs the jobs, on both databases."""

from flask import Flask

from server.reminders.lease import TERM, LeaseHolder

NOW = 1_800_000_000_000


def test_the_first_holds_it_and_renews_without_a_new_fence(app: Flask) -> None:
    with app.app_context():
        first, second = LeaseHolder(), LeaseHolder()
        assert first.hold(NOW)
        fence = first.fence
        assert not second.hold(NOW + 1)
        assert first.hold(NOW + TERM - 1)
        assert (first.fence, second.fence) == (fence, 0)
        assert first.current()
        assert not second.current()


def test_it_is_taken_over_when_it_has_run_out_and_the_old_holder_is_fenced_off(app: Flask) -> None:
    with app.app_context():
        first, second = LeaseHolder(), LeaseHolder()
        assert first.hold(NOW)
        assert second.hold(NOW + TERM + 1)
        assert second.fence == first.fence + 1
        assert second.current()
        assert not first.current()
        assert not first.hold(NOW + TERM + 2)
