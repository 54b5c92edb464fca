package io.tidemark.benchmark;

import io.tidemark.client.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code fio}, for a time, on an export or a file. */
record Fio(Tool tool) {
    private static final double NANOS_PER_MICRO = 1_000;

    static Fio found() throws Skipped {
        return new Fio(Tool.of("fio", "fio"));
    }

    /**
     * What it is to do.
     *
     * @param kind as fio's {@code rw}
     * @param block as fio's {@code bs}
     * @param sizeBytes of the export or file, all of which is used
     */
    record Work(String kind, String block, int depth, long sizeBytes) {
        boolean reads() {
            return kind.endsWith("read");
        }
    }

    /**
     * What it found.
     *
     * @param medianMicros from a request to its answer
     * @param p99Micros the same, which one of a hundred exceeds
     */
    record Took(double perSecond, double requests, double medianMicros, double p99Micros) {}

    /** On an export, from outside of its server. */
    Took onExport(String uri, Work work, int seconds) throws IOException, InterruptedException {
        var job = job(tool.output(words(export(uri), work, seconds)));
        return took(job.at(work.reads() ? "read" : "write"));
    }

    /** The same without an end of its own; for whoever ends it. */
    Process begun(String uri, Work work, int seconds) throws IOException {
        var command = new ArrayList<>(tool.command());
        for (var word : words(export(uri), work, seconds)) {
            command.add(word.toString());
        }
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Median of a {@code pwrite} of 4 KiB and the {@code fdatasync} behind it, microseconds. */
    double durableWriteMicros(Path file, long sizeBytes, int seconds) throws IOException, InterruptedException {
        var work = new Work("randwrite", "4k", 1, sizeBytes);
        var target = List.of("--ioengine=psync", "--fdatasync=1", "--filename=" + file);
        var job = job(tool.output(words(target, work, seconds)));
        double synced = percentile(job.at("sync", "lat_ns"), "50.000000");
        return took(job.at("write")).medianMicros() + synced;
    }

    /**
     * On a block device, past the page cache.
     *
     * @param isDurable each write alone, as by a flush behind it
     */
    Took onDevice(String device, Work work, boolean isDurable, int seconds) throws IOException, InterruptedException {
        var target = new ArrayList<>(List.of("--ioengine=libaio", "--direct=1", "--filename=" + device));
        if (isDurable) {
            target.add("--sync=dsync");
        }
        return took(job(tool.output(words(target, work, seconds))).at(work.reads() ? "read" : "write"));
    }

    private static List<String> export(String uri) {
        return List.of("--ioengine=nbd", "--uri=" + uri);
    }

    private static Object[] words(List<String> target, Work work, int seconds) {
        var words = new ArrayList<Object>(target);
        words.addAll(List.of(
                "--name=bench",
                "--rw=" + work.kind(),
                "--bs=" + work.block(),
                "--iodepth=" + work.depth(),
                "--size=" + work.sizeBytes(),
                "--time_based",
                "--runtime=" + seconds,
                "--randrepeat=0",
                "--output-format=json"));
        return words.toArray();
    }

    private static Json job(String text) throws IOException {
        return Json.parse(text.substring(text.indexOf('{'))).at("jobs").items().getFirst();
    }

    private static Took took(Json of) {
        var latency = of.at("clat_ns");
        return new Took(
                of.at("iops").decimal(),
                of.at("total_ios").decimal(),
                percentile(latency, "50.000000"),
                percentile(latency, "99.000000"));
    }

    private static double percentile(Json latency, String which) {
        return latency.at("percentile", which).decimal() / NANOS_PER_MICRO;
    }
}
