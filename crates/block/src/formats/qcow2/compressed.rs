//! Compressed clusters: from the bytes in the file to one guest cluster.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::zstd_safe::{self, DCtx};

use super::header::Compression;

/// Turns compressed clusters into guest clusters, one after another. What it writes is bounded by
/// the buffer that it is given, whatever the data claims.
pub(super) enum Decompressor {
    /// Raw deflate.
    Deflate(Decompress),
    /// Zstandard frames.
    Zstd(DCtx<'static>),
}

impl Decompressor {
    pub(super) fn new(compression: Compression) -> Self {
        match compression {
            Compression::Deflate => Self::Deflate(Decompress::new(false)),
            Compression::Zstd => Self::Zstd(DCtx::create()),
        }
    }

    /// Fills `cluster` with what `data` holds. Bytes of `data` behind that are somebody else's.
    pub(super) fn decompress(&mut self, data: &[u8], cluster: &mut [u8]) -> Result<(), String> {
        let written = match self {
            Self::Deflate(inflate) => {
                inflate.reset(false);
                match inflate.decompress(data, cluster, FlushDecompress::Finish) {
                    Ok(Status::Ok | Status::StreamEnd | Status::BufError) => inflate.total_out(),
                    Err(error) => return Err(format!("the deflate stream is wrong: {error}")),
                }
            }
            Self::Zstd(context) => unpack_frames(context, data, cluster)?,
        };
        match written == cluster.len() as u64 {
            true => Ok(()),
            false => Err(format!(
                "the compressed data ends after {written} of a cluster's {} bytes",
                cluster.len()
            )),
        }
    }
}

/// Decompresses frame by frame. To decompress a known frame at once, zstd needs no window of its
/// own, whose size the frame would choose.
fn unpack_frames(
    context: &mut DCtx<'_>,
    mut data: &[u8],
    cluster: &mut [u8],
) -> Result<u64, String> {
    let said = |code| format!("the zstd frame is wrong: {}", zstd_safe::get_error_name(code));
    let mut written = 0;
    while written < cluster.len() && !data.is_empty() {
        let length = zstd_safe::find_frame_compressed_size(data).map_err(said)?;
        let Some((frame, rest)) = data.split_at_checked(length).filter(|_| length > 0) else {
            break;
        };
        written += context.decompress(&mut cluster[written..], frame).map_err(said)?;
        data = rest;
    }
    Ok(written as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, FlushCompress};

    fn deflate(data: &[u8]) -> Vec<u8> {
        let mut packed = Vec::with_capacity(data.len() + 1024);
        let mut compress = Compress::new(flate2::Compression::default(), false);
        compress.compress_vec(data, &mut packed, FlushCompress::Finish).unwrap();
        packed
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        let mut packed = vec![0; data.len() + 1024];
        let length = zstd_safe::compress(&mut packed[..], data, 3).unwrap();
        packed.truncate(length);
        packed
    }

    fn cluster() -> Vec<u8> {
        (0..65536_u32).map(|at| (at / 100) as u8).collect()
    }

    fn check(compression: Compression, packed: &[u8], expected: Result<(), &str>) {
        let mut out = vec![0; 65536];
        let mut decompressor = Decompressor::new(compression);
        for _ in 0..2 {
            match (decompressor.decompress(packed, &mut out), expected) {
                (Ok(()), Ok(())) => assert_eq!(out, cluster()),
                (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (got, _) => panic!("{got:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn whole_clusters_with_strangers_behind_them() {
        for (compression, pack) in
            [(Compression::Deflate, deflate as fn(&[u8]) -> Vec<u8>), (Compression::Zstd, zstd)]
        {
            let mut packed = pack(&cluster());
            check(compression, &packed, Ok(()));
            packed.extend([0x55; 300]);
            check(compression, &packed, Ok(()));
        }
    }

    #[test]
    fn short_data_is_an_error() {
        let half = &cluster()[..32768];
        check(Compression::Deflate, &deflate(half), Err("after 32768 of"));
        check(Compression::Zstd, &zstd(half), Err("after 32768 of"));
        let packed = deflate(&cluster());
        check(Compression::Deflate, &packed[..packed.len() / 2], Err("ends after"));
        let packed = zstd(&cluster());
        check(Compression::Zstd, &packed[..packed.len() / 2], Err("zstd frame"));
        check(Compression::Deflate, &[], Err("ends after 0"));
        check(Compression::Zstd, &[], Err("ends after 0"));
    }

    #[test]
    fn two_frames_make_a_cluster() {
        let cluster = cluster();
        let packed = [zstd(&cluster[..1000]), zstd(&cluster[1000..])].concat();
        check(Compression::Zstd, &packed, Ok(()));
    }

    #[test]
    fn bombs_stop_at_the_cluster() {
        let bomb = vec![0; 16 << 20];
        let mut out = vec![1; 65536];
        Decompressor::new(Compression::Deflate).decompress(&deflate(&bomb), &mut out).unwrap();
        assert!(out.iter().all(|byte| *byte == 0));
        let mut zstd_bomb = Decompressor::new(Compression::Zstd);
        assert!(zstd_bomb.decompress(&zstd(&bomb), &mut out).is_err());
    }

    #[test]
    fn nonsense_is_an_error() {
        check(Compression::Deflate, &[0xff; 600], Err("deflate stream"));
        check(Compression::Zstd, &[0xff; 600], Err("zstd frame"));
    }
}
