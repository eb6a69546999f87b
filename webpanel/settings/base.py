"""Settings that every panel shares."""

from pathlib import Path
from urllib.parse import urlsplit

from webpanel.settings.databases import database
from webpanel.settings.environment import BASE_DIR, environment
from webpanel.settings.redis import broker_url, redis_url

HOME = environment.home
SECRET_KEY = environment.secret("secret_key")
DEBUG = False

# Where people and agents reach the panel; the first is the one printed in links.
HTTP_HOST = environment.text("HTTP_HOST", "127.0.0.1")
HTTP_PORT = environment.number("HTTP_PORT", 8000)
HTTPS_PORT = environment.number("HTTPS_PORT", 8443)
PUBLIC_URLS = environment.items("PUBLIC_URLS", f"https://localhost:{HTTPS_PORT}")
# Where agents reach Redis, without a password; tried in this order.
AGENT_REDIS_URLS = environment.items("AGENT_REDIS_URLS")
PKI_DIR = HOME / "pki"
WHEELS_DIR = Path(environment.text("WHEELS") or HOME / "wheels")

ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *environment.items("ALLOWED_HOSTS"),
    *(urlsplit(url).hostname or "" for url in PUBLIC_URLS),
]
CSRF_TRUSTED_ORIGINS = list(PUBLIC_URLS)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "channels",
    "apps.core",
    "apps.accounts",
    "apps.hosts",
    "apps.operations",
    "apps.services",
    "apps.projects",
    "apps.logs",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "apps.core.middleware.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.core.middleware.PanelErrorMiddleware",
]

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
            ],
        },
    }
]

ROOT_URLCONF = "webpanel.urls"
ASGI_APPLICATION = "webpanel.asgi.application"
DATABASES = {"default": database(environment.text("DATABASE_URL"), HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "webpanel"
# No mail is sent: invitations are links that an owner hands over.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# A project's files (4 MiB) as a form, in which a byte may take three.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

REDIS_URL = redis_url(environment.text("REDIS_URL"), HOME, environment.secret("redis_password"))
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # A consumer waits 5 seconds at a time for a nudge, just as long as redis-py would
            # wait for an answer: the connection must be the more patient one.
            "hosts": [{"address": REDIS_URL, "socket_timeout": 15}],
            "prefix": "panel.channels",
            "expiry": 30,
        },
    }
}

CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "unacked_key": "panel.unacked",
    "unacked_index_key": "panel.unacked_index",
    "unacked_mutex_key": "panel.unacked_mutex",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_DEFAULT_QUEUE = "panel.default"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "silent-hosts": {"task": "panel.mark_silent_hosts_offline", "schedule": 5.0},
    "operations": {"task": "panel.keep_operations", "schedule": 5.0},
    "seen-messages": {"task": "panel.forget_seen_messages", "schedule": 3600.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname:7} {name}: {message}", "style": "{"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "INFO")},
    # What happens every five seconds is no news.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("celery.beat", "celery.app.trace", "celery.worker.strategy")
    },
}
