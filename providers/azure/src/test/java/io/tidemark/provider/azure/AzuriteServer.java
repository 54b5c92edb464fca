package io.tidemark.provider.azure;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Azurite, an emulator of Azure's blobs by others, on a port of loopback, with one account of our own. */
final class AzuriteServer implements AutoCloseable {
    private static final String ACCOUNT = "tests";
    private static final byte[] KEY = new byte[64];
    private static final String VERSION = "2019-12-12";
    private static final Duration START_MAXIMUM = Duration.ofSeconds(90);
    private static final Duration END_MAXIMUM = Duration.ofSeconds(10);

    private final Process process;
    private final HttpClient http = HttpClient.newHttpClient();
    private final String address;

    private AzuriteServer(Process process, int port) {
        this.process = process;
        address = "http://127.0.0.1:%d/%s".formatted(port, ACCOUNT);
    }

    /** Skips, and says so, where it is not installed. */
    static AzuriteServer start() throws Exception {
        int port;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        var program = NodeTools.program(
                "azurite",
                "3.35.0",
                "dist/src/blob/main.js",
                "--blobHost",
                "127.0.0.1",
                "--blobPort",
                String.valueOf(port),
                "--inMemoryPersistence",
                "--silent",
                "--disableTelemetry");
        program.environment()
                .put("AZURITE_ACCOUNTS", ACCOUNT + ":" + Base64.getEncoder().encodeToString(KEY));
        var process = program.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        var server = new AzuriteServer(process, port);
        try {
            server.await(port);
            return server;
        } catch (Exception e) {
            server.close();
            throw e;
        }
    }

    private void await(int port) throws Exception {
        long until = System.nanoTime() + START_MAXIMUM.toNanos();
        while (System.nanoTime() < until && process.isAlive()) {
            try (var connected = new Socket(InetAddress.getLoopbackAddress(), port)) {
                if (connected.isConnected()) {
                    return;
                }
            } catch (IOException e) {
                Thread.sleep(100);
            }
        }
        throw new IllegalStateException("Azurite did not listen within " + START_MAXIMUM);
    }

    /** An empty page blob in a container of its own. */
    void create(String name, long sizeBytes) throws Exception {
        put(signed(name, "restype=container", Duration.ofHours(1)), Map.of());
        put(blob(name), Map.of("x-ms-blob-type", "PageBlob", "x-ms-blob-content-length", String.valueOf(sizeBytes)));
    }

    /** @return the snapshot's address, with a signature */
    URI snapshot(String name) throws Exception {
        var made = put(URI.create(blob(name) + "&comp=snapshot"), Map.of());
        return URI.create(blob(name) + "&snapshot="
                + made.headers().firstValue("x-ms-snapshot").orElseThrow());
    }

    URI blob(String name) throws GeneralSecurityException {
        return blob(name, Duration.ofHours(1));
    }

    URI blob(String name, Duration lasts) throws GeneralSecurityException {
        return signed(name + "/disk", "", lasts);
    }

    private HttpResponse<String> put(URI where, Map<String, String> headers) throws Exception {
        var request = HttpRequest.newBuilder(where).PUT(BodyPublishers.noBody());
        headers.forEach(request::header);
        var answer = http.send(request.header("x-ms-version", VERSION).build(), BodyHandlers.ofString());
        if (answer.statusCode() != 201) {
            throw new IllegalStateException("Azurite answered %d: %s".formatted(answer.statusCode(), answer.body()));
        }
        return answer;
    }

    /** "Create an account SAS": string to sign, of versions before 2020-12-06. */
    private URI signed(String path, String query, Duration lasts) throws GeneralSecurityException {
        var end = Instant.now().plus(lasts).truncatedTo(ChronoUnit.SECONDS).toString();
        var start = Instant.now()
                .minus(Duration.ofHours(2))
                .truncatedTo(ChronoUnit.SECONDS)
                .toString();
        var text = String.join("\n", ACCOUNT, "rwdlac", "b", "sco", start, end, "", "", VERSION, "");
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
        var signature = Base64.getEncoder().encodeToString(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        return URI.create("%s/%s?%s%ssv=%s&ss=b&srt=sco&sp=rwdlac&st=%s&se=%s&sig=%s"
                .formatted(
                        address,
                        path,
                        query,
                        query.isEmpty() ? "" : "&",
                        VERSION,
                        encoded(start),
                        encoded(end),
                        encoded(signature)));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(END_MAXIMUM.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
        }
    }
}
