package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.util.Set;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * What an answer of Amazon's means to a caller. Codes: "Error codes for the Amazon EC2 API", and the exceptions of the
 * EBS direct APIs' model.
 */
final class AwsFailures {
    static final String VOLUME_RATE_HOLDER = "Amazon's limit of snapshots in a time, one volume's";
    /** EBS snapshots are refused for a volume that had one less than some 15 s ago (aws-ebs-csi-driver, issue 1608). */
    private static final Duration VOLUME_RATE = Duration.ofSeconds(30);

    private static final Duration THROTTLED = Duration.ofSeconds(2);
    /** Longer than what is waited for within one call: the same page would be asked for again. */
    private static final Duration LIST_ANEW = Duration.ofSeconds(6);

    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int SERVER_ERROR = 500;
    /** Long enough for every message of Amazon's that tells anything. */
    private static final int MESSAGE_CHARACTERS_MAXIMUM = 500;

    private static final Set<String> THROTTLES = Set.of(
            "RequestLimitExceeded",
            "Throttling",
            "ThrottlingException",
            "RequestThrottledException",
            "RequestThrottled",
            "SlowDown",
            "EC2ThrottledException");
    private static final Set<String> LIMITS = Set.of(
            "ConcurrentSnapshotLimitExceeded",
            "PendingSnapshotLimitExceeded",
            "SnapshotLimitExceeded",
            "ResourceLimitExceeded",
            "ConcurrentLimitExceededException",
            "ServiceQuotaExceededException",
            "VolumeLimitExceeded",
            "MaxIOPSLimitExceeded");
    private static final Set<String> DENIALS = Set.of(
            "UnauthorizedOperation",
            "AccessDenied",
            "AccessDeniedException",
            "AuthFailure",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "OptInRequired");
    private static final Set<String> IN_USE = Set.of("InvalidSnapshot.InUse", "VolumeInUse", "SnapshotLocked");

    private AwsFailures() {}

    /** Whether nothing was heard, or a fault of the other side's: what was asked may have been done. */
    static boolean mayHaveBeenDone(SdkException failure) {
        return !(failure instanceof AwsServiceException answered)
                || (answered.statusCode() >= SERVER_ERROR && !THROTTLES.contains(codeOf(answered)));
    }

    static boolean isNotFound(SdkException failure) {
        return failure instanceof AwsServiceException answered
                && (codeOf(answered).endsWith(".NotFound") || codeOf(answered).equals("ResourceNotFoundException"));
    }

    /** Whether it may not be asked by whoever asks, or nobody knows who asks. */
    static boolean isDenied(AwsServiceException answered) {
        return DENIALS.contains(codeOf(answered));
    }

    /** @param asked the call and what it was about: {@code CreateSnapshot of vol-1} */
    static ProviderException of(String asked, SdkException failure) {
        return new ProviderException(errorOf(asked, failure), failure);
    }

    /** Nothing was asked. */
    static ProviderException withoutCredentials(String asked, SdkException failure) {
        return new ProviderException(
                new ProviderError.Denied(
                        asked,
                        "credentials, which are neither in the environment nor in ~/.aws, and no role of the instance gives"),
                failure);
    }

    private static ProviderError errorOf(String asked, SdkException failure) {
        if (!(failure instanceof AwsServiceException answered)) {
            return new ProviderError.Unreachable("Amazon, for " + asked, messageOf(failure));
        }
        var code = codeOf(answered);
        if (THROTTLES.contains(code)) {
            return new ProviderError.Busy(asked, "Amazon's limit of requests", THROTTLED);
        }
        if (code.equals("SnapshotCreationPerVolumeRateExceeded")) {
            return new ProviderError.Busy(asked, VOLUME_RATE_HOLDER, VOLUME_RATE);
        }
        if (LIMITS.contains(code)) {
            return new ProviderError.Busy(asked, "what the account may have at once (%s)".formatted(code), LIMIT);
        }
        if (code.equals("InvalidNextToken")) {
            return new ProviderError.Busy(
                    asked, "a list whose page token has expired: it has to begin anew", LIST_ANEW);
        }
        if (DENIALS.contains(code)) {
            return new ProviderError.Denied(asked, "%s: %s".formatted(code, messageOf(answered)));
        }
        if (IN_USE.contains(code)) {
            return new ProviderError.Conflict(asked, "%s: %s".formatted(code, messageOf(answered)));
        }
        if (answered.statusCode() >= SERVER_ERROR) {
            return new ProviderError.Unreachable("Amazon, for " + asked, "%s: %s".formatted(code, messageOf(answered)));
        }
        return new ProviderError.Unexpected(asked, "%s: %s".formatted(code, messageOf(answered)));
    }

    static String codeOf(AwsServiceException answered) {
        var details = answered.awsErrorDetails();
        return details == null || details.errorCode() == null ? "HTTP " + answered.statusCode() : details.errorCode();
    }

    static String messageOf(SdkException failure) {
        var details = failure instanceof AwsServiceException answered ? answered.awsErrorDetails() : null;
        var message = details == null || details.errorMessage() == null ? failure.getMessage() : details.errorMessage();
        var line = String.valueOf(message).replaceAll("\\s+", " ");
        return line.substring(0, Math.min(line.length(), MESSAGE_CHARACTERS_MAXIMUM));
    }
}
