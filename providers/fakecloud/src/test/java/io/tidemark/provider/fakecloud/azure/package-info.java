@NullMarked
package io.tidemark.provider.fakecloud.azure;

import org.jspecify.annotations.NullMarked;
