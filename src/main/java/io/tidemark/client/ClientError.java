package io.tidemark.client;

import java.net.URI;
import java.time.Duration;

/** Everything that can go wrong between a client and a site, and that its user may act upon. */
public sealed interface ClientError {

    /** One lower-case phrase without a full stop. */
    String message();

    /** What to do about it; may be empty. */
    String advice();

    /** The site answered with a problem document (RFC 9457), or with a bare status. */
    record Refused(int status, String title, String detail, String advice) implements ClientError {
        @Override
        public String message() {
            return detail.isEmpty() ? title : detail;
        }
    }

    /** Nobody answered, or the answer broke off. */
    record Unreachable(URI uri, String reason) implements ClientError {
        @Override
        public String message() {
            return "no answer from %s: %s".formatted(uri, reason);
        }

        @Override
        public String advice() {
            return "is the site running there? name it with --url or TIDEMARK_URL";
        }
    }

    /** Something answered, but not with the API of a site. */
    record Unintelligible(URI uri, int status, String reason) implements ClientError {
        @Override
        public String message() {
            return "%s answered with status %d and something that is not this API: %s".formatted(uri, status, reason);
        }

        @Override
        public String advice() {
            return "check --url; a proxy or another service may be listening there";
        }
    }

    /** Something on this side cannot be used: a token file, a certificate, an address. */
    record Unusable(String message, String advice) implements ClientError {}

    /** An operation ended, and not well. */
    record OperationFailed(String operation, String state, String reason, String advice) implements ClientError {
        @Override
        public String message() {
            return reason.isEmpty()
                    ? "operation %s ended %s".formatted(operation, state)
                    : "operation %s ended %s: %s".formatted(operation, state, reason);
        }
    }

    /** An operation goes on; only the waiting ended. */
    record StillRunning(String operation, Duration waited) implements ClientError {
        @Override
        public String message() {
            return "operation %s still runs after %d s".formatted(operation, waited.toSeconds());
        }

        @Override
        public String advice() {
            return "watch it with: tidemark operations watch " + operation;
        }
    }
}
