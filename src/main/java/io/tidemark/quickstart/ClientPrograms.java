package io.tidemark.quickstart;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * PostgreSQL's own client programs, where the installation has them.
 *
 * @param passwordFile for libpq; readable by the account
 */
record ClientPrograms(Programs programs, PostgresPrograms installed, Programs.Account account, Path passwordFile) {

    boolean has(String program) {
        return installed.optional(program).isPresent();
    }

    /** Runs one against a server, as its administrator. */
    void run(PostgresServer to, String program, List<String> arguments) throws QuickstartException {
        List<String> command =
                new ArrayList<>(List.of("/usr/bin/env", "PGPASSFILE=" + passwordFile, installed.required(program)));
        command.addAll(
                List.of("-h", "127.0.0.1", "-p", Integer.toString(to.port()), "-U", PostgresServer.ADMINISTRATOR));
        command.addAll(arguments);
        programs.run(Optional.of(account), command);
    }

    /** Runs one on the files of a server that has stopped. */
    void runOn(Path data, String program, List<String> arguments) throws QuickstartException {
        List<String> command = new ArrayList<>(installed.command(program, arguments));
        command.addAll(List.of("-D", data.toString()));
        programs.run(Optional.of(account), command);
    }
}
