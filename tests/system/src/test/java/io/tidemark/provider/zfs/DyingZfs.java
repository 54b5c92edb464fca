package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.List;
import java.util.Map;

/** Dies after a number of changes, and starts nothing where that is not allowed. */
final class DyingZfs extends ZfsCommands {
    int changesLeft = Integer.MAX_VALUE;
    boolean frozen;

    DyingZfs() {
        super(new CommandRunner());
    }

    private void change() throws ProviderException {
        if (changesLeft <= 0) {
            throw new ProviderException(new ProviderError.Unexpected("test", "dead"));
        }
        changesLeft--;
    }

    @Override
    List<ZfsObject> list(String dataset) throws ProviderException {
        assertThat(frozen).as("a program is started in a frozen window").isFalse();
        return super.list(dataset);
    }

    @Override
    void clone(String snapshot, String zvol, Map<String, String> properties) throws ProviderException {
        change();
        super.clone(snapshot, zvol, properties);
    }

    @Override
    void rename(String name, String newName) throws ProviderException {
        change();
        super.rename(name, newName);
    }

    @Override
    void set(String zvol, Map<String, String> properties) throws ProviderException {
        change();
        super.set(zvol, properties);
    }

    @Override
    void promote(String clone) throws ProviderException {
        change();
        super.promote(clone);
    }

    @Override
    void destroy(String name) throws ProviderException {
        change();
        super.destroy(name);
    }

    @Override
    void destroyWithClones(String snapshot) throws ProviderException {
        change();
        super.destroyWithClones(snapshot);
    }

    @Override
    void rollback(String snapshot) throws ProviderException {
        change();
        super.rollback(snapshot);
    }

    @Override
    void renameUnmounted(String name, String newName) throws ProviderException {
        change();
        super.renameUnmounted(name, newName);
    }

    @Override
    void unset(String fileSystem, String property) throws ProviderException {
        change();
        super.unset(fileSystem, property);
    }
}
