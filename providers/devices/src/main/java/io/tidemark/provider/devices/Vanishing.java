package io.tidemark.provider.devices;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;

/** Tells of a call that failed because somebody else removed, meanwhile, what it was about. */
public final class Vanishing {
    private Vanishing() {}

    public interface Call<T> {
        T run() throws ProviderException;
    }

    public interface Change {
        void run() throws ProviderException;
    }

    /** Looks at the storage as it is now. */
    public interface Look {
        boolean seen() throws ProviderException;
    }

    /**
     * @return what the call answered
     * @throws ProviderException as the call did, or of {@code gone} where its object is not seen any more
     */
    public static <T> T unlessGone(Call<T> call, Look object, ProviderError gone) throws ProviderException {
        try {
            return call.run();
        } catch (ProviderException e) {
            if (e.error().equals(gone) || isSeen(object, e)) {
                throw e;
            }
            throw new ProviderException(gone, e);
        }
    }

    /** For a removal: it has succeeded, whoever did it, once its object is not seen any more. */
    public static void untilGone(Change removal, Look object) throws ProviderException {
        try {
            removal.run();
        } catch (ProviderException e) {
            if (isSeen(object, e)) {
                throw e;
            }
        }
    }

    /** A look that fails says nothing: what failed first is told. */
    private static boolean isSeen(Look object, ProviderException failure) {
        try {
            return object.seen();
        } catch (ProviderException e) {
            failure.addSuppressed(e);
            return true;
        }
    }
}
