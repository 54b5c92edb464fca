@NullMarked
package io.tidemark.provider.gce;

import org.jspecify.annotations.NullMarked;
