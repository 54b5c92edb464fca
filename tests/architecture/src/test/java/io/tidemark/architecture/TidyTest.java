package io.tidemark.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the compiler cannot see: lengths, words, links, the top level of the repository. */
class TidyTest {
    private static final Path ROOT = root();
    private static final int FILE_LINES_MAXIMUM = 500;
    private static final int FUNCTION_LINES_MAXIMUM = 60;
    private static final int LINE_COLUMNS_MAXIMUM = 120;
    private static final Set<String> SKIPPED_FOLDERS = Set.of("target", ".git", ".idea", ".mvn", ".vscode");
    private static final Set<String> TOP_LEVEL = Set.of(
            ".ci",
            ".git",
            ".gitignore",
            "LICENSE",
            "README.md",
            "config",
            "docs",
            "native-bindings",
            "pom.xml",
            "providers",
            "src",
            "tests",
            "tidemark");
    private static final Pattern LINK = Pattern.compile("\\[[^\\]]*]\\(([^)#\\s]+)(?:#[^)]*)?\\)");
    /** A declaration: a type, a name, parameters that end or go on. */
    private static final Pattern FUNCTION =
            Pattern.compile("^ {4,8}(?=[\\w@<])(?!return |throw |new |else )[\\w<>\\[\\], .?@]+ \\w+\\([^;]*[({]$");

    @Test
    void noFileIsLongerThanItsLimit() throws IOException {
        var tooLong = new ArrayList<String>();
        for (var file : files(".java", ".c", ".h")) {
            int lines = Files.readAllLines(file).size();
            if (lines > FILE_LINES_MAXIMUM) {
                tooLong.add(ROOT.relativize(file) + ": " + lines);
            }
        }

        assertThat(tooLong).isEmpty();
    }

    @Test
    void noFunctionIsLongerThanAScreen() throws IOException {
        var tooLong = new ArrayList<String>();
        for (var file : files(".java")) {
            tooLong.addAll(longFunctions(file));
        }

        assertThat(tooLong).isEmpty();
    }

    @Test
    void noLineOfCIsWiderThanTheFormatterAllowsInJava() throws IOException {
        var tooWide = new ArrayList<String>();
        for (var file : files(".c", ".h")) {
            var lines = Files.readAllLines(file);
            for (int index = 0; index < lines.size(); index++) {
                if (lines.get(index).length() > LINE_COLUMNS_MAXIMUM) {
                    tooWide.add(ROOT.relativize(file) + ":" + (index + 1));
                }
            }
        }

        assertThat(tooWide).isEmpty();
    }

    @Test
    void noFileHoldsAPromiseInsteadOfCode() throws IOException {
        var promise = Pattern.compile("\\b(TODO|FIXME|XXX)\\b");
        var found = new ArrayList<String>();
        for (var file : files(".java", ".c", ".h", ".yaml", ".xml", ".sql", ".sh")) {
            if (file.endsWith("TidyTest.java")) {
                continue;
            }
            if (promise.matcher(Files.readString(file)).find()) {
                found.add(ROOT.relativize(file).toString());
            }
        }

        assertThat(found).isEmpty();
    }

    @Test
    void everyLinkInTheDocsLeadsSomewhere() throws IOException {
        var dead = new ArrayList<String>();
        for (var file : files(".md")) {
            var matcher = LINK.matcher(Files.readString(file));
            while (matcher.find()) {
                String target = matcher.group(1);
                if (!target.contains("://") && !target.startsWith("mailto:")) {
                    Path folder = file.getParent();
                    if (folder == null || !Files.exists(folder.resolve(target))) {
                        dead.add(ROOT.relativize(file) + " -> " + target);
                    }
                }
            }
        }

        assertThat(dead).isEmpty();
    }

    @Test
    void theTopLevelHoldsNothingWithoutADecision() throws IOException {
        try (var entries = Files.list(ROOT)) {
            assertThat(entries.map(entry -> entry.getFileName().toString())
                            .filter(name -> !SKIPPED_FOLDERS.contains(name)))
                    .isSubsetOf(TOP_LEVEL);
        }
    }

    @Test
    void everyPackageSaysWhatItIsFor() throws IOException {
        var without = new ArrayList<String>();
        for (var file : files(".java")) {
            Path folder = file.getParent();
            boolean main = file.toString().contains("/main/java/");
            if (main && folder != null && !Files.exists(folder.resolve("package-info.java"))) {
                without.add(ROOT.relativize(folder).toString());
            }
        }

        assertThat(without.stream().distinct()).isEmpty();
    }

    private static List<String> longFunctions(Path file) throws IOException {
        var found = new ArrayList<String>();
        var lines = Files.readAllLines(file);
        for (int start = 0; start < lines.size(); start++) {
            String line = lines.get(start);
            if (!FUNCTION.matcher(line).find()
                    || line.contains(" class ")
                    || line.contains(" record ")
                    || line.contains(" interface ")
                    || line.contains(" enum ")
                    || line.contains("= ")
                    || line.strip().startsWith("return ")
                    || line.strip().startsWith("class ")
                    || line.strip().startsWith("static {")) {
                continue;
            }
            int indent = line.length() - line.stripLeading().length();
            String end = " ".repeat(indent) + "}";
            int stop = start + 1;
            while (stop < lines.size() && !lines.get(stop).equals(end)) {
                stop++;
            }
            boolean table =
                    start + 1 < lines.size() && lines.get(start + 1).strip().matches("return (List|Stream)\\.of\\(");
            if (!table && stop < lines.size() && stop - start + 1 > FUNCTION_LINES_MAXIMUM) {
                found.add("%s:%d has %d lines".formatted(ROOT.relativize(file), start + 1, stop - start + 1));
            }
        }
        return found;
    }

    private static List<Path> files(String... endings) throws IOException {
        try (Stream<Path> walk = Files.walk(ROOT)) {
            return walk.filter(Files::isRegularFile)
                    .filter(TidyTest::isOurs)
                    .filter(file -> Stream.of(endings)
                            .anyMatch(ending -> file.toString().endsWith(ending)))
                    .toList();
        }
    }

    private static boolean isOurs(Path file) {
        for (var part : ROOT.relativize(file)) {
            if (SKIPPED_FOLDERS.contains(part.toString())) {
                return false;
            }
        }
        return true;
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("tidemark")) || !Files.exists(folder.resolve("providers"))) {
            folder = java.util.Objects.requireNonNull(folder.getParent(), "repository root");
        }
        return folder;
    }
}
