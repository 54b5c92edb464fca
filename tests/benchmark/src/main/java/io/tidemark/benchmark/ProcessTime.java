package io.tidemark.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Processor time that a process has used: what stays where others load the machine. */
final class ProcessTime {
    /** Clock ticks of 10 ms ({@code getconf CLK_TCK}), as /proc/PID/stat counts them: proc(5). */
    private static final double MICROS_PER_TICK = 10_000;

    /** Fields of /proc/PID/stat behind the name in brackets: utime and stime. */
    private static final int USER_TICKS = 11;

    private static final int SYSTEM_TICKS = 12;

    private ProcessTime() {}

    /** Of all its threads, in user mode and in the kernel. */
    static double micros(long pid) throws IOException {
        var stat = Files.readString(Path.of("/proc/%d/stat".formatted(pid)));
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (Double.parseDouble(fields[USER_TICKS]) + Double.parseDouble(fields[SYSTEM_TICKS])) * MICROS_PER_TICK;
    }
}
