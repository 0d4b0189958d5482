from django.test import TestCase, override_settings

BEGIN = "/social-auth/login/google-oauth2/"


class DoorTests(TestCase):
    @override_settings(SOCIAL_AUTH_GOOGLE_OAUTH2_KEY="")
    def test_without_a_key_nothing_is_there_and_no_session_begins(self):
        for path in (BEGIN, "/social-auth/complete/google-oauth2/", "/social-auth/disconnect/google-oauth2/"):
            with self.subTest(path):
                assert self.client.post(path).status_code == 404
                assert self.client.get(path).status_code == 404
                assert not self.client.cookies

    @override_settings(SOCIAL_AUTH_GOOGLE_OAUTH2_KEY="key")
    def test_with_a_key_a_visitor_may_begin_ten_times_a_minute(self):
        statuses = []
        for _number in range(11):
            self.client.cookies.clear()
            statuses.append(self.client.post(BEGIN).status_code)

        assert statuses == [302] * 10 + [429]
