from django.contrib import admin

from config.modeladmin import StaffAdmin
from config.readonly import Unwritable

from .models import Coupon, CouponUse, SavedCart


@admin.register(Coupon)
class CouponAdmin(StaffAdmin):
    list_display = ["code", "percent", "amount", "minimum", "valid_from", "valid_to", "used", "max_uses", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["code"]
    readonly_fields = ["used"]


@admin.register(CouponUse)
class CouponUseAdmin(Unwritable, StaffAdmin):
    list_display = ["coupon", "order_id", "email", "used_at"]
    list_select_related = ["coupon"]
    search_fields = ["email", "=order_id"]


@admin.register(SavedCart)
class SavedCartAdmin(Unwritable, StaffAdmin):
    list_display = ["owner", "updated_at"]
    list_select_related = ["owner"]
