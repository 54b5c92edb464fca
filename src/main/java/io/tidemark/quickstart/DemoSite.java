package io.tidemark.quickstart;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import io.tidemark.client.SiteClient;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** One site: a process of its own, with its own state, keys and ports, spoken to over its API alone. */
final class DemoSite {
    private static final Duration START_LIMIT = Duration.ofMinutes(1);
    private static final Duration POLL = Duration.ofMillis(50);
    /** The slowest operation of the demo moves some 200 MiB. */
    private static final Duration OPERATION_LIMIT = Duration.ofMinutes(5);

    private final String name;
    private final Path folder;
    private final Path volumes;
    private final SiteClient client;

    private DemoSite(String name, Path folder, Path volumes, SiteClient client) {
        this.name = name;
        this.folder = folder;
        this.volumes = volumes;
        this.client = client;
    }

    /** What is being started: a site and when it must answer. */
    record Starting(String name, Path folder, Path volumes, Process process, Path log) {}

    /** Starts the process and does not wait for it, so that several can start side by side. */
    static Starting start(DemoFolder demo, Programs programs, StoragePool pool, String letter)
            throws QuickstartException {
        Path folder = demo.folder(letter);
        Path volumes = demo.folder("pool/" + letter + "-volumes");
        Path config = folder.resolve("site.yaml");
        Path log = folder.resolve("site.log");
        try {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            Files.writeString(config, configuration("site-" + letter, folder.resolve("state"), volumes));
        } catch (IOException e) {
            throw new QuickstartException("%s could not be written: %s".formatted(config, e.getMessage()), e);
        }
        if (!pool.folder().equals(demo.path().resolve("pool"))) {
            throw new AssertionError("the pool is elsewhere: " + pool.folder());
        }
        return new Starting(
                "site-" + letter, folder, volumes, programs.start(Optional.empty(), command(config), log), log);
    }

    private static String configuration(String name, Path state, Path volumes) {
        return """
                # Written by tidemark quickstart. Every setting and its default: config/tidemark.yaml
                site:
                  name: %s
                state:
                  folder: %s
                http:
                  host: 127.0.0.1
                  port: 0
                replication:
                  host: 127.0.0.1
                  port: 0
                operations:
                  stopTimeout: 3s
                providers:
                  image:
                    folders:
                      - %s
                """.formatted(name, state, volumes);
    }

    /** The same Java and the same classes as ours. */
    private static List<String> command(Path config) {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:TieredStopAtLevel=4",
                "-Xshare:auto"));
        for (var property : List.of("tidemark.home", "logback.configurationFile")) {
            Optional.ofNullable(System.getProperty(property))
                    .ifPresent(value -> command.add("-D%s=%s".formatted(property, value)));
        }
        String classPath = Arrays.stream(
                        System.getProperty("java.class.path", "").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
        command.addAll(List.of("-cp", classPath, "io.tidemark.Main", "standalone", "--config", config.toString()));
        return command;
    }

    /** Returns once the site says where it listens. */
    static DemoSite await(Starting starting) throws QuickstartException {
        Path endpoints = starting.folder().resolve("state/endpoints.json");
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (System.nanoTime() < deadline && starting.process().isAlive()) {
            try {
                if (Files.exists(endpoints)) {
                    String url =
                            Json.parse(Files.readString(endpoints)).at("http").text();
                    var token = starting.folder().resolve("state/admin.token");
                    if (!url.isEmpty() && Files.exists(token)) {
                        var client = new SiteClient(SiteClient.address(url), Optional.of(token), Optional.empty());
                        return new DemoSite(starting.name(), starting.folder(), starting.volumes(), client);
                    }
                }
                Thread.sleep(POLL);
            } catch (IOException e) {
                throw new QuickstartException("%s could not be read: %s".formatted(endpoints, e.getMessage()), e);
            } catch (ClientException e) {
                throw new QuickstartException(e.error().message(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new QuickstartException("interrupted", e);
            }
        }
        throw new QuickstartException("%s did not start: %s".formatted(starting.name(), tail(starting.log())));
    }

    /** Of both sites, where they exist. */
    static List<Path> logs(DemoFolder demo) {
        return List.of(demo.file("a/site.log"), demo.file("b/site.log")).stream()
                .filter(Files::exists)
                .toList();
    }

    static String tail(Path log) {
        try {
            String told = Files.readString(log);
            return Programs.lastLines(
                    told.lines().filter(line -> !line.startsWith("\tat ")).collect(Collectors.joining("\n")));
        } catch (IOException e) {
            return "no log";
        }
    }

    String name() {
        return name;
    }

    String url() {
        return client.base().toString();
    }

    Path tokenFile() {
        return folder.resolve("state/admin.token");
    }

    Path volumesFolder() {
        return volumes;
    }

    Json get(String path) throws QuickstartException {
        return asked(() -> client.get(path));
    }

    Json post(String path, Map<String, ?> body) throws QuickstartException {
        return asked(() -> client.post(path, body));
    }

    /** Starts an operation and waits for its result. */
    Json operate(String path, Map<String, ?> body) throws QuickstartException {
        return asked(() -> {
            var operation = client.post(path, body);
            return Operations.result(
                    new Operations(client).await(operation.at("id").text(), OPERATION_LIMIT, document -> {}));
        });
    }

    private interface Question {
        Json ask() throws ClientException;
    }

    private Json asked(Question question) throws QuickstartException {
        try {
            return question.ask();
        } catch (ClientException e) {
            throw new QuickstartException(
                    "%s: %s".formatted(name, e.error().message()), e.error().advice());
        }
    }
}
