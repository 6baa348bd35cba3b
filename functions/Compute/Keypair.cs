using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>A user's public key or certificate. Lives with the user, whatever the project.</summary>
public sealed record Keypair : Resource
{
    public string Name { get; init; } = "";
    public string PublicKey { get; init; } = "";
    public string Fingerprint { get; init; } = "";
    /// <summary>ssh or x509.</summary>
    public string Type { get; init; } = "ssh";
}

/// <summary>The material of keypairs: an OpenSSH line, or a PEM certificate.</summary>
/// <param name="Private">PEM, only for one made here.</param>
public sealed record KeyMaterial(string Public, string Fingerprint, string? Private = null)
{
    public static KeyMaterial Make(string type, string user, DateTimeOffset now)
    {
        using var rsa = RSA.Create(2048);
        if (type == "ssh") return Ssh(OpenSsh(rsa)) with { Private = rsa.ExportRSAPrivateKeyPem() + "\n" };
        var request = new CertificateRequest("CN=" + user.Replace(",", "", StringComparison.Ordinal), rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var certificate = request.CreateSelfSigned(now, now.AddYears(10));
        return X509(certificate.ExportCertificatePem() + "\n") with { Private = rsa.ExportPkcs8PrivateKeyPem() + "\n" };
    }

    /// <exception cref="Fault">400 for what is no key of this type.</exception>
    public static KeyMaterial Of(string type, string text) => type == "ssh" ? Ssh(text) : X509(text);

    private static KeyMaterial Ssh(string text)
    {
        var blob = Blob(text) ?? throw Fault.BadRequest("Keypair data is invalid: failed to generate fingerprint");
#pragma warning disable CA5351 // the API's fingerprint is MD5 by definition
        return new(text.Trim(), string.Join(':', MD5.HashData(blob).Select(b => b.ToString("x2", null))));
#pragma warning restore CA5351
    }

    private static KeyMaterial X509(string pem)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
#pragma warning disable CA5350 // the API's fingerprint is SHA-1 by definition
            return new(pem, string.Join(':', SHA1.HashData(certificate.RawData).Select(b => b.ToString("x2", null))));
#pragma warning restore CA5350
        }
        catch (CryptographicException) { throw Fault.BadRequest("Keypair data is invalid: failed to generate X509 fingerprint"); }
    }

    // RFC 4253, 6.6: the blob begins with its own type, and nothing but one line gets into the guest.
    private static byte[]? Blob(string key)
    {
        if (key.Trim() is var line && line.Any(char.IsControl)) return null;
        var parts = line.Split(' ', 3);
        if (parts.Length < 2 || !(parts[0].StartsWith("ssh-", StringComparison.Ordinal) || parts[0].StartsWith("ecdsa-", StringComparison.Ordinal) || parts[0].StartsWith("sk-", StringComparison.Ordinal))) return null;
        var blob = new byte[parts[1].Length];
        if (!Convert.TryFromBase64String(parts[1], blob, out var n) || n < 8) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(blob);
        return length <= n - 4 && Encoding.ASCII.GetString(blob, 4, (int)length) == parts[0] ? blob[..n] : null;
    }

    private static string OpenSsh(RSA rsa)
    {
        var p = rsa.ExportParameters(false);
        using var blob = new MemoryStream();
        void Put(ReadOnlySpan<byte> bytes, bool number)
        {
            var pad = number && bytes[0] >= 0x80 ? 1 : 0;
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length + pad);
            blob.Write(length);
            if (pad == 1) blob.WriteByte(0);
            blob.Write(bytes);
        }
        Put("ssh-rsa"u8, false);
        Put(p.Exponent, true);
        Put(p.Modulus, true);
        return "ssh-rsa " + Convert.ToBase64String(blob.ToArray()) + " Generated-by-Nova";
    }
}
