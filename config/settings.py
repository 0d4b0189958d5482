"""
Every setting of the site, read from the environment or from `.env`.

Development, one server and many servers differ by values only, never by file. A value that makes no sense stops the
process here or in an app's checks.py, with a sentence that says what to change.
"""

from email.utils import parseaddr
from pathlib import Path

from decouple import Csv
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from core.env import (
    country,
    database,
    env,
    flag,
    folder_address,
    mailbox,
    natural,
    one_of,
    optional,
    own_folder,
    positive,
    service,
    time_zone,
    web_address,
)
from core.stores.buckets import storages_in
from core.stores.databases import databases_in
from core.web.logs import logging_in

from .emailurl import mailer
from .queues import beat_schedule, queues_in

BASE_DIR = Path(__file__).resolve().parent.parent
# Everything the site writes to disk when no other place is configured.
VAR_DIR = own_folder(Path(env("VAR_DIR") or BASE_DIR / "var"))

# --- What every installation decides -------------------------------------------------------------------------------

DEBUG = env("DEBUG", default=False, cast=flag)
DEVELOPMENT_KEY = "development-only-key-refused-when-DEBUG-is-off"
SECRET_KEY = env("SECRET_KEY", default=DEVELOPMENT_KEY if DEBUG else "")
if not DEBUG and SECRET_KEY in ("", DEVELOPMENT_KEY):
    raise ImproperlyConfigured(
        "SECRET_KEY is missing or is the development one, and DEBUG is off. Set SECRET_KEY to a long random value "
        "(python -c 'import secrets; print(secrets.token_urlsafe(50))'), or DEBUG=true on your own machine; "
        "`make run` does the latter for you."
    )
SECRET_KEY_FALLBACKS = env("SECRET_KEY_FALLBACKS", cast=Csv())

SITE_NAME = env("SITE_NAME", default="Atelier")
SITE_URL = env("SITE_URL", default="http://127.0.0.1:8000", cast=web_address)
ALLOWED_HOSTS = env("ALLOWED_HOSTS", default="127.0.0.1,localhost,[::1]", cast=Csv())
# "site", "mail": what may leave without TLS all the same (config/checks.py, mail/checks.py).
ALLOW_UNENCRYPTED = env("ALLOW_UNENCRYPTED", cast=Csv())

# --- Apps: an app may import those below it, never above or beside it (pyproject.toml holds the contract) ----------

INSTALLED_APPS = [
    "config",
    "demo",
    "payment",
    "orders",
    "cart",
    "shop",
    "blog",
    "images",
    "account",
    "actions",
    "mail",
    "search",
    "archive",
    "content",
    "core",
    "core.staff.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    "django_countries",
    "social_django",
]

MIDDLEWARE = [
    "core.web.middleware.request_id",
    "core.web.middleware.answer_programs",
    "core.web.middleware.refuse_nul",
    "core.web.headers.tell_browsers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.web.middleware.answer_without_database",  # outside all that asks it
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "core.web.csrf.SameOriginCsrfMiddleware",
    "account.middleware.MemberMiddleware",
    "account.middleware.SessionAgeMiddleware",
    "account.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.web.headers.allow_only_ours",
    "django_htmx.middleware.HtmxMiddleware",
    "social_django.middleware.SocialAuthExceptionMiddleware",
    "core.web.ratelimit.answer_too_often",
    "core.web.middleware.keep_what_was_typed",
    "core.web.middleware.explain_method",
    "core.web.middleware.refuse_body",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.django_application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.web.context_processors.site",
                "cart.context_processors.cart",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database: SQLite until DATABASE_URL names another -------------------------------------------------------------

DATABASE_URL = env("DATABASE_URL", cast=database) or f"sqlite:///{VAR_DIR / 'db.sqlite3'}"
# A streaming replica of it: core/caching/routers.py says who may read there.
DATABASE_REPLICA_URL = env("DATABASE_REPLICA_URL", cast=database)
DATABASES = databases_in(
    DATABASE_URL,
    replica_url=DATABASE_REPLICA_URL,
    is_pooled=env("DATABASE_POOLED", default=False, cast=flag),
    test_file=VAR_DIR / "test.sqlite3",
)
DATABASE_TIMEOUT = 10  # seconds a page waits for an answer of PostgreSQL; nobody looks at an empty window for longer
if DATABASE_REPLICA_URL:
    DATABASE_ROUTERS = ["core.caching.routers.ReplicaRouter"]
    MIDDLEWARE.append("core.caching.replica.read_from_replica")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis, Celery, mail: each optional ----------------------------------------------------------------------------

REDIS_URL = env("REDIS_URL", cast=service("redis://host:6379/0"))
REDIS_TIMEOUT = 0.2  # seconds: what a Redis that is away may cost a page, once in five seconds
if REDIS_URL:
    # The prefix keeps it apart from what releases have kept as pickle.
    CACHES = {
        "default": {"BACKEND": "core.stores.cache.ForgivingRedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "json"}
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

CELERY_BROKER_URL = env("CELERY_BROKER_URL", cast=service("amqp://user:password@host:5672//"))
SECONDS_TO_FINISH = 5.0  # how long a process without a broker waits at its end for the task that is running
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# acks_late alone loses a task whose child is killed (measured); both together re-run it.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 100  # WeasyPrint keeps about 0.2 MiB an invoice
CELERY_TASK_TIME_LIMIT = 90
# Nobody waits longer for a broker that is away, and no page at all (core/jobs/background.py): a sweep finds what was
# not published.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "confirm_publish": True,
    "connect_timeout": 2,
    "read_timeout": 2,
    "write_timeout": 2,
    "socket_timeout": 2,
}
CELERY_TASK_DEFAULT_QUEUE = env("CELERY_QUEUE", default="atelier")
CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
# What fetches from the web may hang for a minute. docker-compose.yml gives it a worker; one that is told nothing takes
# both.
SLOW_QUEUE = f"{CELERY_TASK_DEFAULT_QUEUE}-slow"
CELERY_TASK_QUEUES = queues_in(CELERY_TASK_DEFAULT_QUEUE, SLOW_QUEUE)
CELERY_TASK_ROUTES = {"images.tasks.fetch_picture": {"queue": SLOW_QUEUE}}
# However long the broker is away, and whatever it says meanwhile: with a password that was changed a worker would end.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# What `manage.py tick` and celery beat run: the same list, with the seconds from the beginning of one run to the next,
# whatever the time of day; with Celery a run may take CELERY_TASK_TIME_LIMIT. An entry is a task that finds the rows
# the world forgot and is safe to run twice or at the same time on two machines. What a fault left undone is done within
# a minute of its end: the wait that each row has, and then one of these (core/jobs/lease.py).
SWEEPS: dict[str, int] = {
    "payment.tasks.sweep_payments": 15,
    "payment.tasks.catch_up_events": 3600,
    "payment.tasks.reconcile_with_stripe": 86400,
    "payment.tasks.forget_old_events": 86400,
    "mail.tasks.sweep_outbox": 10,
    "images.tasks.sweep_fetches": 30,
    "blog.tasks.count_due_posts": 60,
    "blog.tasks.align_post_tags": 3600,
    "search.tasks.learn_due_words": 60,
    "orders.tasks.sweep_invoices": 15,
    "shop.tasks.count_baskets": 60,
    "actions.tasks.flush_views": 60,
    "shop.tasks.answer_stock_alerts": 30,
    "shop.tasks.align_category_counts": 3600,
    "core.tasks.refresh_statistics": 86400,
    "content.tasks.sweep_orphans": 86400,
    "account.tasks.sweep_sessions": 86400,
}
CELERY_BEAT_SCHEDULE = beat_schedule(SWEEPS)
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # it keeps no file: what is due stands in the database

# Empty: each mail becomes a file under var/mail, which a check (mail/checks.py) refuses when DEBUG is off.
EMAIL_URL = env("EMAIL_URL")
MAILERS = {"default": mailer(EMAIL_URL, folder=VAR_DIR / "mail")}
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Atelier <post@atelier.example>", cast=mailbox)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
STAFF_EMAIL = env("STAFF_EMAIL", cast=optional(mailbox)) or DEFAULT_FROM_EMAIL

# --- People --------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "account.User"
AUTHENTICATION_BACKENDS = [
    "account.backends.UsernameOrEmailBackend",
    "account.backends.GoogleBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "account.passwords.SiteWordsValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "account:dashboard"
LOGOUT_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = 3600  # its mail and page say "one hour" (templates/registration)
# Off by default in development only, so that the demo's staff can just log in.
STAFF_SECOND_FACTOR = env("STAFF_SECOND_FACTOR", default=not DEBUG, cast=flag)
STAFF_IDLE_HOURS = env("STAFF_IDLE_HOURS", default=12, cast=positive)
STAFF_SESSION_DAYS = env("STAFF_SESSION_DAYS", default=7, cast=positive)

# How many proxies of ours stand in front: core/web/ratelimit.py tells the visitor's address by it.
PROXY_COUNT = env("PROXY_COUNT", default=0, cast=natural)

SOCIAL_AUTH_GOOGLE_OAUTH2_KEY = env("GOOGLE_OAUTH2_KEY")
SOCIAL_AUTH_GOOGLE_OAUTH2_SECRET = env("GOOGLE_OAUTH2_SECRET")
SOCIAL_AUTH_GOOGLE_OAUTH2_USE_UNIQUE_USER_ID = True  # store Google's `sub`, not the address, which may change hands
SOCIAL_AUTH_URL_NAMESPACE = "social"
SOCIAL_AUTH_REQUIRE_POST = True
SOCIAL_AUTH_RAISE_EXCEPTIONS = False
SOCIAL_AUTH_LOGIN_ERROR_URL = "login"
SOCIAL_AUTH_INACTIVE_USER_URL = "login"
SOCIAL_AUTH_CLEAN_USERNAME_FUNCTION = "account.pipeline.clean_username"
SOCIAL_AUTH_SANITIZE_REDIRECTS = True
SOCIAL_AUTH_PIPELINE = [
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_names",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.auth_allowed",
    "account.pipeline.require_verified_address",
    "social_core.pipeline.social_auth.social_user",
    "account.pipeline.require_permission_to_link",
    "account.pipeline.find_member",
    "social_core.pipeline.user.get_username",
    "account.pipeline.create_member",
    "account.pipeline.link",
]
SOCIAL_AUTH_DISCONNECT_PIPELINE = ["account.pipeline.refuse_disconnect"]

# --- Shop ----------------------------------------------------------------------------------------------------------

SHOP_CURRENCY = env("SHOP_CURRENCY", default="EUR").upper()
# The page on which consumers in the EU withdraw from a purchase; shops that sell to companies only may switch it off.
WITHDRAWAL_FORM = env("WITHDRAWAL_FORM", default=True, cast=flag)
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = env("STRIPE_WEBHOOK_SECRET")
# Only ever set to the local simulator's address; empty means Stripe itself.
STRIPE_API_BASE = env("STRIPE_API_BASE", cast=optional(web_address))
# Printed on every invoice; a | begins a new line of the address.
SELLER_NAME = env("SELLER_NAME", default="Atelier Demo" if DEBUG else "")
SELLER_ADDRESS = env("SELLER_ADDRESS", default="1 Example Street|12345 Sampletown" if DEBUG else "").replace("|", "\n")
SELLER_COUNTRY = env("SELLER_COUNTRY", default="DE", cast=country)  # two letters; the checkout's first guess
SELLER_VAT_ID = env("SELLER_VAT_ID")
SELLER_TAX_NUMBER = env("SELLER_TAX_NUMBER")
SELLER_CHARGES_VAT = env("SELLER_CHARGES_VAT", default=True, cast=flag)
VAT_ZERO_NOTE = env("VAT_ZERO_NOTE")
SELLER_REGISTER = env("SELLER_REGISTER")
# off, verified or unverified: whose VAT id lets a business in another EU country buy without VAT (orders/vat.py).
VAT_REVERSE_CHARGE = env("VAT_REVERSE_CHARGE", default="off").lower()
VAT_FREE_EXPORT = env("VAT_FREE_EXPORT", default=False, cast=flag)
SELLER_EMAIL = env("SELLER_EMAIL", cast=optional(mailbox)) or parseaddr(DEFAULT_FROM_EMAIL)[1]

# --- Language and time ---------------------------------------------------------------------------------------------

LANGUAGES = [("en", _("English"))]
LANGUAGE_CODE = env("LANGUAGE_CODE", default="en", cast=one_of(*dict(LANGUAGES)))
if len(LANGUAGES) == 1:
    # It doubles the price of a constant page (measured) and has nothing to choose from.
    MIDDLEWARE.remove("django.middleware.locale.LocaleMiddleware")
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env("TIME_ZONE", default="UTC", cast=time_zone)
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
USE_TZ = True

TAGGIT_CASE_INSENSITIVE = True

# --- Files ---------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "config.staticfiles.SheetFinder",
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = env("MEDIA_URL_BASE", default="/media/", cast=folder_address)
# Invoices and other papers that only a view with a permission check may hand out.
PRIVATE_ROOT = VAR_DIR / "private"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "private": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": PRIVATE_ROOT}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
AWS_STORAGE_BUCKET_NAME = env("AWS_STORAGE_BUCKET_NAME")
if AWS_STORAGE_BUCKET_NAME:
    STORAGES |= storages_in(
        media=AWS_STORAGE_BUCKET_NAME,
        private=env("AWS_PRIVATE_BUCKET_NAME"),
        media_url=MEDIA_URL,
        endpoint=env("AWS_S3_ENDPOINT_URL", cast=optional(web_address)),
        region=env("AWS_S3_REGION_NAME"),
        key=env("AWS_ACCESS_KEY_ID"),
        secret=env("AWS_SECRET_ACCESS_KEY"),
    )
# Loopback servers ("127.0.0.1:8399") that content/fetch.py may fetch pictures from, for tests and demos.
FETCH_TEST_ORIGINS = env("FETCH_TEST_ORIGINS", cast=Csv())
if FETCH_TEST_ORIGINS and not DEBUG:
    raise ImproperlyConfigured(
        "FETCH_TEST_ORIGINS is set and DEBUG is off. It lets members make this server fetch from your own network; "
        "it is for tests and demos only. Remove it."
    )
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
# The largest picture that a member may send, in megabytes of 1024 x 1024 bytes. Two places cannot read it:
# deploy/nginx.conf and static/error/413.html.
PICTURE_MB = 10
# Every picture gets all of these when it is written (content/pictures.py), so another size here is for pictures to come;
# {% picture %} offers them in pairs.
THUMBNAILS = {
    # Lists show dozens of these: at such sizes nobody sees the difference, and twenty come to less than 150 KB.
    "tile": {"size": (400, 400), "crop": True, "quality": 70},
    "tile_2x": {"size": (800, 800), "crop": True, "quality": 60},
    "wide_small": {"size": (800, 0)},
    "wide": {"size": (1600, 0)},
    "face": {"size": (96, 96), "crop": True},
    "face_2x": {"size": (192, 192), "crop": True},
}
FILE_UPLOAD_PERMISSIONS = 0o644
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
# What a product's download may weigh; core/serving/intake.py has the limits of everybody else.
STAFF_UPLOAD_MB = env("STAFF_UPLOAD_MB", default=100, cast=natural)
# How many pages a process makes at the same time (core/serving/site.py).
WEB_THREADS = max(1, env("WEB_THREADS", default=4, cast=natural))

# --- Browser security ----------------------------------------------------------------------------------------------

# W003 looks for Django's own CSRF middleware by its path; ours is a subclass of it (core/web/csrf.py). W005 and W021
# ask for HSTS on all subdomains and for the browsers' preload list: both are the owner's to decide (HSTS_… in
# .env.example).
SILENCED_SYSTEM_CHECKS = ["security.W003", "security.W005", "security.W021"]
CSRF_FAILURE_VIEW = "core.web.csrf.failure"
# No nonces: every script is a file of ours.
CONTENT_SECURITY_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:", *([MEDIA_URL] if "://" in MEDIA_URL else [])],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    # A POST that is redirected to the pay page is checked against form-action by Chromium.
    "form-action": ["'self'", STRIPE_API_BASE or "https://checkout.stripe.com", "https://accounts.google.com"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
    "object-src": ["'none'"],
}
MESSAGE_STORAGE = "core.web.cookies.MessageStorage"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "account.sessions"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
if SITE_URL.startswith("https://"):
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env("SECURE_SSL_REDIRECT", default=True, cast=flag)
    # People are led to https; a program that sends in clear is refused (payment/webhooks.py), so that somebody notices.
    SECURE_REDIRECT_EXEMPT = [r"^payment/webhook/$"]
    # Browsers remember it: a promise about other hosts of the domain, or for ever, is the owner's to make.
    SECURE_HSTS_SECONDS = env("HSTS_DAYS", default=365, cast=natural) * 86_400
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env("HSTS_INCLUDE_SUBDOMAINS", default=False, cast=flag)
    SECURE_HSTS_PRELOAD = env("HSTS_PRELOAD", default=False, cast=flag)
    if env("BEHIND_TLS_PROXY", default=False, cast=flag):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Metrics: counted when somebody may ask for them ----------------------------------------------------------------

METRICS_TOKEN = env("METRICS_TOKEN")
METRICS_DIR = Path(env("METRICS_DIR") or VAR_DIR / "metrics")
if METRICS_TOKEN:
    MIDDLEWARE.insert(1, "core.web.metrics.measure")

# --- Logs ----------------------------------------------------------------------------------------------------------

LOG_FORMAT = env("LOG_FORMAT", default="text", cast=one_of("text", "json"))
LOGGING = logging_in(
    LOG_FORMAT, level=env("LOG_LEVEL", default="INFO", cast=one_of("DEBUG", "INFO", "WARNING", "ERROR"))
)
