from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """Named in INSTALLED_APPS for Django's own, so that `admin.site` is ours."""

    default_site = "core.staff.adminsite.StaffSite"
