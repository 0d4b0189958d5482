from django.urls import path

from .views import entry, google, own, people, second_factor

app_name = "account"
urlpatterns = [
    path("", own.dashboard, name="dashboard"),
    path("register/", entry.register, name="register"),
    path("register/done/", entry.register_done, name="register_done"),
    path("register/<str:token>/", entry.join, name="join"),
    path("prove/", entry.prove_send, name="prove_send"),
    path("prove/<str:token>/", entry.prove, name="prove"),
    path("edit/", own.edit, name="edit"),
    path("email/", own.email_change, name="email_change"),
    path("email/<str:token>/", own.email_confirm, name="email_confirm"),
    path("code/", second_factor.second_factor, name="second_factor"),
    path("code/setup/", second_factor.second_factor_setup, name="second_factor_setup"),
    path("code/remove/", second_factor.second_factor_remove, name="second_factor_remove"),
    path("google/", google.google, name="google"),
    path("sessions/", own.session_list, name="session_list"),
    path("sessions/end/", own.session_end, name="session_end"),
    path("data/", own.data_export, name="data_export"),
    path("leave/", own.leave, name="leave"),
    path("muted-and-blocked/", people.mute_and_block_list, name="mute_and_block_list"),
    path("users/", people.user_list, name="user_list"),
    path("users/<str:username>/", people.user_detail, name="user_detail"),
    path("users/<str:username>/follow/", people.user_follow, name="user_follow"),
    path("users/<str:username>/mute-or-block/", people.user_mute_or_block, name="user_mute_or_block"),
]
