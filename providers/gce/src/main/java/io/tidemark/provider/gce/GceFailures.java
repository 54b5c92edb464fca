package io.tidemark.provider.gce;

import com.google.api.client.http.HttpResponseException;
import com.google.api.gax.rpc.ApiException;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * What an answer of Google's means to a caller. Sources: "API errors" and "Resource operations" in the Compute Engine
 * reference; both dialects of too many requests, 403 and 429, are reported by others
 * (gcp-compute-persistent-disk-csi-driver).
 */
final class GceFailures {
    private static final Duration THROTTLED = Duration.ofSeconds(2);
    private static final Duration NOT_READY = Duration.ofSeconds(5);
    private static final Duration QUOTA = Duration.ofMinutes(1);
    static final String DISK_RATE_HOLDER = "Google's limit of snapshots of one disk in a time";
    /** "Create archive and standard disk snapshots": one in 10 min. */
    private static final Duration DISK_RATE = Duration.ofMinutes(10);
    /** What a server asks for beyond that is cut to it. */
    private static final int RETRY_SECONDS_MAXIMUM = 3_600;

    private static final int MESSAGE_CHARACTERS_MAXIMUM = 500;
    private static final Set<String> THROTTLES = Set.of("rateLimitExceeded", "userRateLimitExceeded");
    private static final Set<String> QUOTAS = Set.of("quotaExceeded", "limitExceeded", "dailyLimitExceeded");

    private GceFailures() {}

    /**
     * An answer that is a refusal.
     *
     * @param status of HTTP; 0: nothing was heard
     * @param reason Google's word for it, {@code alreadyExists}
     */
    record Refusal(int status, String reason, String message, Optional<Duration> retryAfter, Throwable cause) {
        boolean isNotFound() {
            return status == 404;
        }

        boolean isThere() {
            return status == 409;
        }

        boolean isStale() {
            return status == 412;
        }

        boolean isExpiredPage() {
            return status == 400 && message.contains("pageToken");
        }

        boolean isNotReady() {
            return reason.equals("resourceNotReady");
        }

        /** Nothing was heard, or a fault of the other side's: what was asked may have been done. */
        boolean mayHaveBeenDone() {
            return status == 0 || status >= 500;
        }
    }

    static Refusal of(ApiException failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof HttpResponseException answered) {
                return of(answered);
            }
        }
        return new Refusal(0, "", line(String.valueOf(failure.getMessage())), Optional.empty(), failure);
    }

    static Refusal of(HttpResponseException answered) {
        String reason = "";
        String message = String.valueOf(answered.getStatusMessage());
        try {
            JsonElement read = JsonParser.parseString(String.valueOf(answered.getContent()));
            JsonObject error = read.getAsJsonObject().getAsJsonObject("error");
            message = error.get("message").getAsString();
            reason = error.getAsJsonArray("errors")
                    .get(0)
                    .getAsJsonObject()
                    .get("reason")
                    .getAsString();
        } catch (JsonParseException | IllegalStateException | NullPointerException | IndexOutOfBoundsException e) {
            // A proxy's page, or none: the status says enough.
            reason = reason.isEmpty() ? "HTTP " + answered.getStatusCode() : reason;
        }
        return new Refusal(answered.getStatusCode(), reason, line(message), retryAfter(answered), answered);
    }

    static Refusal of(IOException unheard) {
        return new Refusal(0, "", line(String.valueOf(unheard.getMessage())), Optional.empty(), unheard);
    }

    private static Optional<Duration> retryAfter(HttpResponseException answered) {
        String told =
                answered.getHeaders() == null ? null : answered.getHeaders().getRetryAfter();
        return told != null && told.matches("[0-9]{1,6}")
                ? Optional.of(Duration.ofSeconds(Math.min(RETRY_SECONDS_MAXIMUM, Integer.parseInt(told))))
                : Optional.empty();
    }

    /** @param asked the call and what it was about: {@code snapshots.insert of tm-1} */
    static ProviderException exception(String asked, Refusal refusal) {
        return new ProviderException(errorOf(asked, refusal), refusal.cause());
    }

    private static ProviderError errorOf(String asked, Refusal refusal) {
        if (refusal.status() == 429 || THROTTLES.contains(refusal.reason())) {
            return new ProviderError.Busy(
                    asked, "Google's limit of requests", refusal.retryAfter().orElse(THROTTLED));
        }
        if (QUOTAS.contains(refusal.reason())) {
            return new ProviderError.Busy(
                    asked, "what the project may have at once (%s)".formatted(refusal.message()), QUOTA);
        }
        if (refusal.mayHaveBeenDone()) {
            return new ProviderError.Unreachable("Google, for " + asked, refusal.reason() + " " + refusal.message());
        }
        return switch (refusal.reason()) {
            case "resourceInUseByAnotherResource" -> new ProviderError.Conflict(asked, refusal.message());
            case "resourceNotReady" -> new ProviderError.Busy(asked, "Google, which is at work on it", NOT_READY);
            default ->
                refusal.status() == 401 || refusal.status() == 403
                        ? new ProviderError.Denied(asked, refusal.reason() + ": " + refusal.message())
                        : new ProviderError.Unexpected(asked, refusal.reason() + ": " + refusal.message());
        };
    }

    /** Of work that was taken on and has ended with an error. */
    static ProviderException exception(String asked, CloudOperation failed) {
        String told = failed.errorCode() + ": " + line(failed.errorMessage());
        return new ProviderException(
                switch (failed.errorCode()) {
                    case "RESOURCE_OPERATION_RATE_EXCEEDED" ->
                        new ProviderError.Busy(asked, DISK_RATE_HOLDER, DISK_RATE);
                    case "QUOTA_EXCEEDED" ->
                        new ProviderError.Busy(asked, "what the project may have at once (%s)".formatted(told), QUOTA);
                    case "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE" -> new ProviderError.Conflict(asked, told);
                    default -> new ProviderError.Unexpected(asked, told);
                });
    }

    static ProviderException withoutCredentials(String asked, IOException failure) {
        return new ProviderException(
                new ProviderError.Denied(
                        asked,
                        "credentials, which neither GOOGLE_APPLICATION_CREDENTIALS nor the SDK's own file has, and no"
                                + " service account of the instance gives: "
                                + line(String.valueOf(failure.getMessage()))),
                failure);
    }

    private static String line(String text) {
        var line = text.replaceAll("\\s+", " ");
        return line.substring(0, Math.min(line.length(), MESSAGE_CHARACTERS_MAXIMUM));
    }
}
