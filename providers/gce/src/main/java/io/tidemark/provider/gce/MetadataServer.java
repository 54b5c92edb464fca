package io.tidemark.provider.gce;

import com.google.api.client.http.GenericUrl;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;

/**
 * Tells an instance of Compute Engine which one it is ("About VM metadata"); elsewhere there is none. Asked only where the
 * settings say so.
 */
final class MetadataServer {
    private static final URI GOOGLE = URI.create("http://metadata.google.internal");
    /** It is on the host that the instance runs on; whoever does not answer sooner is none. */
    private static final Duration CALL = Duration.ofSeconds(5);

    private final GceConnection connection;

    MetadataServer(GceConnection connection) {
        this.connection = connection;
    }

    /** @throws ProviderException Unreachable where no metadata server answers; Unexpected where it tells no instance */
    HelperInstance self() throws ProviderException {
        // "projects/NUMBER/zones/ZONE": the project's id is asked for by itself.
        String zone = GceAnswers.lastOf(value("instance/zone"));
        String text = "projects/%s/zones/%s/instances/%s"
                .formatted(value("project/project-id"), zone, value("instance/name"));
        return HelperInstance.parse(text)
                .orElseThrow(() -> new ProviderException(
                        new ProviderError.Unexpected("the metadata server of this instance", text)));
    }

    private String value(String path) throws ProviderException {
        var url = new GenericUrl(GOOGLE + "/computeMetadata/v1/" + path);
        try {
            var request =
                    connection.clients().transport().createRequestFactory().buildGetRequest(url);
            request.getHeaders().set("Metadata-Flavor", "Google");
            request.setConnectTimeout((int) CALL.toMillis());
            request.setReadTimeout((int) CALL.toMillis());
            request.setNumberOfRetries(0);
            var answer = request.execute();
            try {
                return answer.parseAsString().strip();
            } finally {
                answer.disconnect();
            }
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Unreachable(
                            "the metadata server of this instance",
                            e.getMessage()
                                    + "; elsewhere than on Compute Engine name an instance in the setting helper"),
                    e);
        }
    }
}
