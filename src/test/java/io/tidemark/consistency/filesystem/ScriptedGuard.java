package io.tidemark.consistency.filesystem;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A guard that answers each command with the lines a test wrote down; without any it is silent, as if it had died. */
final class ScriptedGuard implements GuardChannel {
    private final ArrayDeque<String> lines = new ArrayDeque<>();
    private final Map<String, List<String>> answers = new HashMap<>();
    final List<String> commands = new ArrayList<>();
    boolean broken;
    boolean endsByItself = true;
    Runnable onKill = () -> {};

    ScriptedGuard() {
        lines.add("ready");
        answers.put("freeze", List.of("frozen 0 100 110", "frozen 1 111 120", "all-frozen"));
        answers.put("ask", List.of("held"));
        answers.put("thaw", List.of("thawed 1 200 210 1", "thawed 0 211 220 1", "done"));
    }

    ScriptedGuard answering(String command, String... with) {
        answers.put(command, List.of(with));
        return this;
    }

    ScriptedGuard startingWith(String line) {
        lines.clear();
        lines.add(line);
        return this;
    }

    @Override
    public void send(String command) throws IOException {
        commands.add(command);
        if (broken) {
            throw new IOException("Broken pipe");
        }
        lines.addAll(answers.getOrDefault(command, List.of()));
    }

    @Override
    public Optional<String> receive(Duration limit) {
        return Optional.ofNullable(lines.poll());
    }

    @Override
    public boolean end() {
        commands.add("end");
        return endsByItself;
    }

    @Override
    public void kill() {
        commands.add("kill");
        onKill.run();
    }
}
