package io.tidemark.consistency.command;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.provider.commands.CommandRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes quiescers of kind {@code command} from what this host's configuration names. */
public final class CommandQuiescerFactory implements QuiescerFactory {
    private static final Logger LOG = LoggerFactory.getLogger(CommandQuiescerFactory.class);

    private static final String LEAST_RIGHTS = """
            The programs run as the account of the service. What they may do is theirs: give them an account of
            their own (setpriv, sudo -u, runuser) where they need less, and let nobody else write their files.
            """;

    private final Map<String, CommandDefinition> commands;
    private final CommandPrograms programs = new CommandPrograms(new CommandRunner());
    private final HeldJournal journal;

    public CommandQuiescerFactory(Map<String, CommandDefinition> commands, Path stateFolder) {
        this.commands = new TreeMap<>(commands);
        this.journal = new HeldJournal(stateFolder.resolve("held-commands"));
    }

    @Override
    public String kind() {
        return CommandQuiescer.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        var settings = QuiescerSettings.of(spec, List.of("name"));
        if (!settings.has("name")) {
            throw settings.bad("name", "is missing: one of quiescers.commands of this host's configuration");
        }
        var name = settings.text("name", "");
        var command = commands.get(name);
        if (command == null) {
            throw settings.bad(
                    "name",
                    "is %s, which is not in quiescers.commands of this host's configuration; there are %s"
                            .formatted(name, commands.isEmpty() ? "none" : String.join(", ", commands.keySet())));
        }
        return new CommandQuiescer(command, programs, journal);
    }

    /**
     * Only where service and keeper both died is there anything left to thaw, or where a thaw program failed. One thaw
     * ends all that was left of a command.
     */
    @Override
    public void sweep() {
        try {
            journal.entries().stream()
                    .collect(Collectors.groupingBy(HeldJournal.Entry::command, TreeMap::new, Collectors.toList()))
                    .forEach(this::sweep);
        } catch (IOException e) {
            LOG.error("command_journal_unreadable error={}", e.getMessage());
        }
    }

    private void sweep(String name, List<HeldJournal.Entry> entries) {
        var command = commands.get(name);
        if (command == null) {
            LOG.error(
                    "application_not_thawed command={} files={} error=\"{}: thaw it by hand, then delete them\"",
                    name,
                    entries.stream().map(HeldJournal.Entry::file).toList(),
                    name.isEmpty() ? "they are damaged or of another version" : "not in quiescers.commands any more");
            return;
        }
        new LeftHeld(journal, programs)
                .thaw(command)
                .ifPresent(failure -> LOG.error("application_not_thawed command={} error={}", command.name(), failure));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }
}
