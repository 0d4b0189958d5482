"""Django's own account pages, under the names that Django and others expect: login, logout, password_reset …"""

from django.contrib.auth import views as auth_views
from django.urls import path

from .views import entry

urlpatterns = [
    path("login/", entry.Login.as_view(), name="login"),
    path("logout/", entry.Logout.as_view(), name="logout"),
    path("password-change/", entry.PasswordChange.as_view(), name="password_change"),
    path("password-change/done/", auth_views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("password-reset/", entry.PasswordReset.as_view(), name="password_reset"),
    path("password-reset/done/", auth_views.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("password-reset/<uidb64>/<token>/", entry.PasswordResetConfirm.as_view(), name="password_reset_confirm"),
    path("password-reset/complete/", auth_views.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
]
