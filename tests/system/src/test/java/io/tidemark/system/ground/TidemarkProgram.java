package io.tidemark.system.ground;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The program itself, and what tests run in a process of its own, as this run's class path has them. */
public final class TidemarkProgram {
    static final String MAIN = "io.tidemark.Main";

    private TidemarkProgram() {}

    /**
     * @param haltFile where it reads at which moment it is to die
     * @param javaOptions the heap's size among them
     */
    public static List<String> command(Path haltFile, List<String> javaOptions, String... arguments)
            throws IOException {
        // What a site allocates depends on what was compiled: who asks for another compiler measures that.
        boolean measured = javaOptions.stream().anyMatch(option -> option.startsWith("-XX:TieredStopAtLevel"));
        var cache = measured ? StartCache.none() : StartCache.get();
        var options = new ArrayList<>(List.of(
                "-Dtidemark.halt.file=" + haltFile,
                "-Dlogback.configurationFile=" + Ground.repository().resolve("config/logback.xml")));
        options.addAll(cache.options());
        options.addAll(javaOptions);
        return javaOn(options, cache.classPath(), MAIN, arguments);
    }

    /** @param main the class to run */
    public static List<String> java(List<String> options, String main, String... arguments) {
        return javaOn(options, System.getProperty("java.class.path"), main, arguments);
    }

    static List<String> javaOn(List<String> options, String classPath, String main, String... arguments) {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1"));
        // Behind the others: the last of two counts.
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main));
        command.addAll(List.of(arguments));
        return command;
    }
}
