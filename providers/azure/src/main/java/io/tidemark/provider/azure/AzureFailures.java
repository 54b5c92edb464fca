package io.tidemark.provider.azure;

import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.management.exception.ManagementException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Set;
import reactor.core.Exceptions;

/**
 * What an answer of Azure's means to a caller. Codes: "Troubleshoot common Azure deployment errors", "Lock your
 * resources", "Understand how Azure Resource Manager throttles requests".
 */
final class AzureFailures {
    static final int NOT_FOUND = 404;
    static final int CONFLICT = 409;
    static final int THROTTLED = 429;
    private static final int SERVER_ERROR = 500;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    /** Long enough for every message of Azure's that tells anything. */
    private static final int MESSAGE_CHARACTERS_MAXIMUM = 500;

    /** Where Azure names no time. */
    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

    private static final Duration SIGNATURE = Duration.ofMinutes(1);
    private static final Set<String> GONE = Set.of("ResourceNotFound", "NotFound");

    private AzureFailures() {}

    static boolean isNotFound(RuntimeException failure) {
        return failure instanceof HttpResponseException answered
                && status(answered) == NOT_FOUND
                && GONE.contains(codeOf(answered));
    }

    static int status(HttpResponseException answered) {
        return answered.getResponse() == null ? 0 : answered.getResponse().getStatusCode();
    }

    /** How long Azure asks to be left alone. */
    static Duration retryAfter(HttpResponseException answered) {
        var text = answered.getResponse() == null
                ? null
                : answered.getResponse().getHeaderValue(com.azure.core.http.HttpHeaderName.RETRY_AFTER);
        return retryAfter(text);
    }

    static Duration retryAfter(@org.jspecify.annotations.Nullable String text) {
        return text != null && text.matches("[0-9]{1,6}") ? Duration.ofSeconds(Long.parseLong(text)) : RETRY_AFTER;
    }

    /**
     * @param asked the call and what it was about
     * @throws RuntimeException the failure itself, where it is a defect and nothing that the network or Azure did
     */
    static ProviderException of(String asked, RuntimeException failure) {
        if (failure instanceof ClientAuthenticationException unknown && status(unknown) != FORBIDDEN) {
            return new ProviderException(withoutCredentials(asked), failure);
        }
        if (failure instanceof HttpResponseException answered) {
            return new ProviderException(errorOf(asked, answered), failure);
        }
        var cause = Exceptions.unwrap(failure);
        if (cause instanceof IOException || cause instanceof UncheckedIOException) {
            return new ProviderException(
                    new ProviderError.Unreachable("Azure, for " + asked, line(String.valueOf(cause.getMessage()))),
                    failure);
        }
        throw failure;
    }

    static ProviderError withoutCredentials(String asked) {
        return new ProviderError.Denied(
                asked, "credentials, which neither the environment, a managed identity nor the Azure CLI gives");
    }

    private static ProviderError errorOf(String asked, HttpResponseException answered) {
        int status = status(answered);
        var said = "%s: %s".formatted(codeOf(answered), messageOf(answered));
        if (status == THROTTLED) {
            return ArmGate.busy(asked, retryAfter(answered));
        }
        if (status == UNAUTHORIZED || status == FORBIDDEN) {
            return new ProviderError.Denied(asked, said);
        }
        if (status == CONFLICT) {
            return said.contains("shared access signature")
                    ? new ProviderError.Busy(asked, "a shared access signature (%s)".formatted(said), SIGNATURE)
                    : new ProviderError.Conflict(asked, said);
        }
        if (status >= SERVER_ERROR) {
            return new ProviderError.Unreachable("Azure, for " + asked, said);
        }
        return new ProviderError.Unexpected(asked, said);
    }

    static String codeOf(HttpResponseException answered) {
        return answered instanceof ManagementException told
                        && told.getValue() != null
                        && told.getValue().getCode() != null
                ? told.getValue().getCode()
                : "HTTP " + status(answered);
    }

    private static String messageOf(HttpResponseException answered) {
        return answered instanceof ManagementException told
                        && told.getValue() != null
                        && told.getValue().getMessage() != null
                ? line(told.getValue().getMessage())
                : line(String.valueOf(answered.getMessage()));
    }

    private static String line(String text) {
        var line = text.replaceAll("\\s+", " ");
        return line.substring(0, Math.min(line.length(), MESSAGE_CHARACTERS_MAXIMUM));
    }
}
