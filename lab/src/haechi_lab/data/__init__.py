"""From public pictures to batches: shards, packs of face crops, mixtures, augmentation."""
