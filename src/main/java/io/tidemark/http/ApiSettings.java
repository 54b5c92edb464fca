package io.tidemark.http;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How the API listens.
 *
 * @param port 0 takes any free one
 * @param certificateFile PEM chain; with {@code keyFile}, or neither; demanded where the host is not loopback
 * @param requestBytesMaximum longest body of a request
 * @param requestTimeout longest time until an answer
 * @param metricsOpen whether {@code /metrics} answers without a token
 * @param version shown by {@code /v1/version}
 * @param fingerprint of the site's key, shown there too
 */
public record ApiSettings(
        String host,
        int port,
        Optional<Path> certificateFile,
        Optional<Path> keyFile,
        long requestBytesMaximum,
        Duration requestTimeout,
        boolean metricsOpen,
        String version,
        String fingerprint) {

    public ApiSettings {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("http.port is not 0 to 65535: " + port);
        }
        if (certificateFile.isPresent() != keyFile.isPresent()) {
            throw new IllegalArgumentException("http.tls.certificateFile and http.tls.keyFile go together");
        }
        if (certificateFile.isEmpty() && !isLoopback(host)) {
            throw new IllegalArgumentException(
                    "http.host %s is not loopback: http.tls.certificateFile and http.tls.keyFile are demanded"
                            .formatted(host));
        }
        if (requestBytesMaximum < 1 || requestTimeout.toMillis() < 1) {
            throw new IllegalArgumentException("limits of a request are not positive: %d bytes, %s"
                    .formatted(requestBytesMaximum, requestTimeout));
        }
    }

    public boolean tls() {
        return certificateFile.isPresent();
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException unknown) {
            return false;
        }
    }
}
