import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Opcodes;

/**
 * Writes a jar anew with class files of a newer format and the same code. picocli is published as Java 5, whose classes
 * the JVM's ahead-of-time cache leaves out: they have no stack maps, so their check cannot be done beforehand. Loading
 * them one by one is a fifth of what a client command costs.
 *
 * <p>Run from its source by the launcher, with ASM on the class path: {@code NewerClassFiles OLD.jar NEW.jar}.
 */
final class NewerClassFiles {
    private static final int FORMAT = Opcodes.V21;

    private NewerClassFiles() {}

    public static void main(String[] arguments) throws IOException {
        var older = Path.of(arguments[0]);
        var newer = Path.of(arguments[1]);
        Files.createDirectories(newer.toAbsolutePath().getParent());
        URI location = older.toUri();
        // Merging stack maps asks for common superclasses, so the jar's own classes must be found.
        try (var classes = new URLClassLoader(new URL[] {location.toURL()});
                var source = new JarFile(older.toFile());
                var target = new ZipOutputStream(Files.newOutputStream(newer))) {
            for (var entry : Collections.list(source.entries())) {
                byte[] bytes = source.getInputStream(entry).readAllBytes();
                var written = new ZipEntry(entry.getName());
                written.setTime(entry.getTime());
                target.putNextEntry(written);
                target.write(isOldClass(entry.getName()) ? rewritten(bytes, classes) : bytes);
                target.closeEntry();
            }
        }
    }

    /** What lies under META-INF/versions is of a newer format by itself. */
    private static boolean isOldClass(String name) {
        return name.endsWith(".class") && !name.startsWith("META-INF/");
    }

    private static byte[] rewritten(byte[] bytes, ClassLoader classes) {
        var writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES) {
            @Override
            protected ClassLoader getClassLoader() {
                return classes;
            }
        };
        var formatSetter = new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public void visit(
                    int format, int access, String name, String signature, String superName, String[] interfaces) {
                super.visit(Math.max(format, FORMAT), access, name, signature, superName, interfaces);
            }
        };
        new ClassReader(bytes).accept(formatSetter, ClassReader.SKIP_FRAMES);
        return writer.toByteArray();
    }
}
