package io.tidemark.provider.ebs;

import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;

/** Carries requests straight into the fake, where sockets would be most of a test's time. */
final class InProcessHttp implements SdkHttpClient {
    private final FakeAws cloud;
    private final String region;

    /** Of a process that is no more nothing is asked. */
    private final BooleanSupplier dead;

    InProcessHttp(FakeAws cloud, String region, BooleanSupplier dead) {
        this.cloud = cloud;
        this.region = region;
        this.dead = dead;
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        return new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() throws IOException {
                if (dead.getAsBoolean()) {
                    throw new IOException("killed");
                }
                var answer = cloud.answer(region, read(request));
                if (answer.cut()) {
                    throw new IOException("connection reset");
                }
                return said(answer);
            }

            @Override
            public void abort() {
                // The call is over before anybody could end it.
            }
        };
    }

    private static HttpRequest read(HttpExecuteRequest request) throws IOException {
        var http = request.httpRequest();
        var headers = new LinkedHashMap<String, String>();
        http.forEachHeader((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), values.getFirst()));
        var body = new byte[0];
        if (request.contentStreamProvider().isPresent()) {
            try (var stream = request.contentStreamProvider().get().newStream()) {
                body = stream.readAllBytes();
            }
        }
        var query = http.encodedQueryParameters().map(text -> "?" + text).orElse("");
        // An empty path is sent as "/" (RFC 9112, section 3.2.1).
        var path = http.encodedPath().isEmpty() ? "/" : http.encodedPath();
        return new HttpRequest(http.method().name(), path + query, headers, body);
    }

    private static HttpExecuteResponse said(HttpAnswer answer) {
        var head = SdkHttpResponse.builder()
                .statusCode(answer.status)
                .putHeader("Content-Type", answer.contentType)
                .putHeader("Content-Length", String.valueOf(answer.body.length));
        answer.headers.forEach(head::putHeader);
        return HttpExecuteResponse.builder()
                .response(head.build())
                .responseBody(AbortableInputStream.create(new ByteArrayInputStream(answer.body)))
                .build();
    }

    @Override
    public String clientName() {
        return "InProcess";
    }

    @Override
    public void close() {
        // There is no connection.
    }
}
