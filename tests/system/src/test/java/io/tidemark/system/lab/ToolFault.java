package io.tidemark.system.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * In the place of one of the guest's programs in {@code /usr/sbin}: it runs the program as ever, except for the one call
 * that was armed. Only where what is written goes with the guest.
 */
final class ToolFault implements AutoCloseable {
    private static final Path PROGRAMS = Path.of("/usr/sbin");
    private static final Path FOLDER = Path.of("/run/faults");

    private final Path program;
    private final Path kept;
    private final Path armed;

    private ToolFault(String name) {
        this.program = PROGRAMS.resolve(name);
        this.kept = FOLDER.resolve(name + ".kept");
        this.armed = FOLDER.resolve(name + ".armed");
    }

    static ToolFault in(String name) throws IOException {
        var fault = new ToolFault(name);
        Files.createDirectories(FOLDER);
        Files.copy(fault.program.toRealPath(), fault.kept);
        Files.delete(fault.program);

        // lvm and the tools of thin pools are one program each, which looks at the name it was called by.
        Files.writeString(fault.program, """
                #!/bin/bash
                start() { exec -a %s %s "$@"; }
                [[ -e %3$s.calls ]] && echo "$*" >>%3$s.calls
                if mv %3$s %3$s.$$ 2>/dev/null; then . %3$s.$$; fi
                start "$@"
                """.formatted(name, fault.kept, fault.armed));
        Files.setPosixFilePermissions(fault.program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return fault;
    }

    /** The next call is killed after so many milliseconds. */
    void killAfter(int millis) throws IOException {
        arm("""
            start "$@" & pid=$!
            sleep %d.%03d
            kill -9 $pid
            wait $pid
            exit $?
            """.formatted(millis / 1_000, millis % 1_000));
    }

    /**
     * The next call is killed when it is about to ask something of the kernel's devices, or to write to a disk, for the nth
     * time; it survives where it does so less often. Unlike a time, it is the same moment on a busy machine.
     *
     * @param nth from 1 on; the first three are the shell's
     */
    void killAtCall(int nth) throws IOException {
        arm(killing("", nth));
    }

    /**
     * The next call of one of the program's subcommands is killed when it is about to ask something of a device for the
     * nth time.
     */
    void killAtCall(String subcommand, Path device, int nth) throws IOException {
        arm("if [[ $1 == %s ]]; then%n%selse mv %s.$$ %3$s; fi%n"
                .formatted(subcommand, killing("-P " + device, nth), armed));
    }

    private String killing(String which, int nth) {
        return """
            strace -qq -o /dev/null %s -e trace=ioctl,io_submit -e inject=ioctl,io_submit:signal=KILL:when=%d \
              bash -c 'exec -a %s %s "$@"' bash "$@"
            ended=$?
            [[ $ended != 137 ]] || touch %s
            exit $ended
            """.formatted(which, nth, program.getFileName(), kept, killedFile());
    }

    /** Whether the last call that was to be killed at one of its own was; asked once. */
    boolean hasKilled() throws IOException {
        return Files.deleteIfExists(killedFile());
    }

    private Path killedFile() {
        return FOLDER.resolve(program.getFileName() + ".armed.killed");
    }

    /** Before the next call a line of shell is run. */
    void before(String line) throws IOException {
        arm(line + " >/dev/null 2>&1\n");
    }

    /**
     * Before the next call of one of the program's subcommands a line of shell is run; in it {@code (start ...)} is the
     * program itself.
     */
    void before(String subcommand, String line) throws IOException {
        arm("if [[ $1 == %s ]]; then %s >/dev/null 2>&1; else mv %s.$$ %3$s; fi%n".formatted(subcommand, line, armed));
    }

    /** Whether the fault is still to come. */
    boolean isArmed() {
        return Files.exists(armed);
    }

    private void arm(String script) throws IOException {
        var prepared = Files.writeString(FOLDER.resolve("prepared"), script);
        Files.move(prepared, armed);
    }

    /** From now on calls are counted. */
    void count() throws IOException {
        Files.writeString(callsFile(), "");
    }

    int calls() throws IOException {
        return Files.readAllLines(callsFile()).size();
    }

    private Path callsFile() {
        return FOLDER.resolve(program.getFileName() + ".armed.calls");
    }

    @Override
    public void close() throws IOException {
        Files.delete(program);
        Files.copy(kept, program, StandardCopyOption.COPY_ATTRIBUTES);
        Files.delete(kept);
        Files.deleteIfExists(armed);
        Files.deleteIfExists(callsFile());
        Files.deleteIfExists(killedFile());
    }
}
