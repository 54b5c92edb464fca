package io.tidemark.agent;

import io.tidemark.spi.StorageProvider;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** A storage that answers otherwise than the one behind it. */
final class Answering {
    private Answering() {}

    /** What is said in place of an answer; the answer itself where nothing is to be changed. */
    @FunctionalInterface
    interface Otherwise {
        Object answer(Object answer, Object[] arguments);
    }

    static StorageProvider otherwise(StorageProvider behind, Otherwise otherwise) {
        return (StorageProvider) Proxy.newProxyInstance(
                StorageProvider.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (_, method, arguments) -> {
                    try {
                        return otherwise.answer(method.invoke(behind, arguments), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
