@NullMarked
package io.tidemark.provider.fakecloud.gce;

import org.jspecify.annotations.NullMarked;
