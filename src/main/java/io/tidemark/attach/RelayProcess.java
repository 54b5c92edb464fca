package io.tidemark.attach;

import io.tidemark.domain.ExportId;
import io.tidemark.export.ExportRelay;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The process that stands between a device and the site, from attach to detach. */
public final class RelayProcess {
    /** Requests in flight and what is not flushed: twice 64 MiB and once 64, with room. */
    private static final String HEAP = "-Xmx320m";

    private static final Logger LOG = LoggerFactory.getLogger(RelayProcess.class);

    private RelayProcess() {}

    /** The words that start it; the last ones are {@link #main}'s. */
    static List<String> command(Path folder, Path upstream, ExportId export, Duration awayLimit) {
        var words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                HEAP));
        var home = System.getProperty("tidemark.home");
        if (home != null) {
            words.add("-Dlogback.configurationFile=" + Path.of(home, "config", "logback.xml"));
        }
        words.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                RelayProcess.class.getName(),
                folder.toString(),
                upstream.toString(),
                export.value(),
                Long.toString(awayLimit.toSeconds())));
        return words;
    }

    /** Whether the process is that folder's relay, by its command line. */
    static boolean isOf(Path folder, long process) {
        try {
            var words = Files.readString(Path.of("/proc/%d/cmdline".formatted(process)), StandardCharsets.ISO_8859_1);
            return words.contains("\0%s\0%s\0".formatted(RelayProcess.class.getName(), bytesOf(folder)));
        } catch (IOException e) {
            // It has ended.
            return false;
        }
    }

    /** A character for each byte, for a command line need not be text. */
    private static String bytesOf(Path folder) {
        return new String(folder.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    /** Those of a folder that live, whoever started them. */
    static List<ProcessHandle> of(Path folder) {
        return ProcessHandle.allProcesses()
                .filter(process -> isOf(folder, process.pid()))
                .toList();
    }

    /** @param arguments the attachment's folder, the site's socket, the export, and how many seconds it may be away */
    public static void main(String[] arguments) throws InterruptedException {
        var folder = Path.of(arguments[0]);
        var export = new ExportId(arguments[2]);
        var limit = Duration.ofSeconds(Long.parseLong(arguments[3]));
        try {
            var relay = ExportRelay.start(Path.of(arguments[1]), export, Attachment.socket(folder), limit);
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> end(relay)));
            Files.createFile(Attachment.ready(folder));
            LOG.info("attach.ready export={} writable={} awayLimit={}", export, relay.writable(), limit);
            Thread.sleep(Long.MAX_VALUE);
        } catch (IOException e) {
            LOG.error("attach.failed export={} reason={}", export, e.getMessage());
            System.exit(1);
        }
    }

    private static void end(ExportRelay relay) {
        try {
            relay.close();
        } catch (IOException e) {
            LOG.warn("attach.not_closed reason={}", e.getMessage());
        }
    }
}
