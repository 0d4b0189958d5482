"""What the log tells about logins: enough to find out what happened, and no name."""

from django.test import TestCase
from django.urls import reverse

from account import second_factor
from account.models import SecondFactor
from account.tests.factories import PASSWORD, code_now, make_user


class LoginLogTests(TestCase):
    def setUp(self):
        self.alice = make_user("alice")

    def log_in(self, name: str, password: str) -> list[str]:
        with self.assertLogs("account", "INFO") as log:
            self.client.post(reverse("login"), {"username": name, "password": password})
        return log.output

    def test_who_came_in_and_how_is_told_by_number(self):
        (line,) = self.log_in("alice", PASSWORD)

        assert line.endswith(f"Member {self.alice.pk} logged in by UsernameOrEmailBackend")
        with self.assertLogs("account", "INFO") as log:
            self.client.post(reverse("logout"))
        assert log.output[0].endswith(f"Member {self.alice.pk} logged out")

    def test_guesses_at_one_name_are_told_apart_from_those_at_another_and_no_name_is_told(self):
        lines = [self.log_in(name, "wrong")[0] for name in ("alice", "ALICE", "hunter2")]

        assert lines[0] == lines[1] != lines[2]
        assert "WARNING" in lines[0]
        assert not [line for line in lines if "alice" in line.lower() or "hunter2" in line]

    def test_right_and_wrong_codes_are_told(self):
        factor = second_factor.begin(self.alice)
        second_factor.confirm(self.alice, code_now(factor.secret, steps=-1))
        self.client.force_login(self.alice)
        url = reverse("account:second_factor")

        with self.assertLogs("account", "INFO") as log:
            self.client.post(url, {"code": "abcdef"})
            self.client.post(url, {"code": code_now(SecondFactor.objects.get().secret)})

        assert [line.rpartition(f"Member {self.alice.pk} ")[2] for line in log.output] == [
            "gave a wrong code",
            "gave a right code",
        ]
